/** A push: what a peer brings when it cannot be called. Who may bring what, how it goes on after a cut, and what is refused. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createTlsPair } from '../../../src/identity/certificate.js';
import { createIdentity } from '../../../src/identity/create-identity.js';
import { createSealer } from '../../../src/identity/seal.js';
import { createHttpsTransfer } from '../../../src/transfer/https-transfer.js';
import { createPeerClient, type PeerClient } from '../../../src/transfer/peer/peer-client.js';
import { createPeerListener } from '../../../src/transfer/peer/peer-listener.js';
import type { Bundle, Outcome, Fetched, FetchRequest, Transfer } from '../../../src/transfer/transfer.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';
import { bundleFiles, ended, makeBytes, readFiles, succeeded } from '../../support/transfer-steps.js';

interface Node {
  readonly transfer: Transfer;
  readonly client: PeerClient;
  readonly key: string;
}

/** Nobody listens there. */
const DEAD = ['https://127.0.0.1:1'];
const SHARE = 'alpha/item-1/3/out';

describe('a push', () => {
  const newDirectory = temporaryDirectories();
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  async function startNode({ room, pushWaitMs = 60_000 }: { room?: number; pushWaitMs?: number } = {}): Promise<Node> {
    const { privateKey } = generateKeyPairSync('ed25519');
    const tls = createTlsPair(privateKey);
    const key = createIdentity(privateKey).publicKey;
    const client = createPeerClient({ tls });
    const transfer = createHttpsTransfer({
      listener: createPeerListener({ tls, listen: '127.0.0.1', port: 0, advertise: [] }),
      client,
      sealer: createSealer(privateKey),
      publicKey: key,
      room: () => Promise.resolve(room),
      retryDelaysMs: [0, 10, 20],
      pushWaitMs,
    });
    await succeeded((done) => transfer.start(done));
    cleanups.push(() => new Promise((resolve) => transfer.close(resolve)));
    return { transfer, client, key };
  }

  /** A fetch at `to` of what `from` shares; nobody can be called until the other side pushes. */
  function wait(from: Node, to: Node, bundle: Bundle, change: Partial<FetchRequest> = {}) {
    const directory = join(newDirectory(), 'home');
    let unreached: (reason: string) => void = () => undefined;
    const told = new Promise<string>((resolve) => (unreached = resolve));
    let abandon: () => void = () => undefined;
    const result = ended<Fetched>((done) => {
      abandon = to.transfer.fetch(
        {
          share: SHARE,
          urls: DEAD,
          sha256: bundle.sha256,
          peerKey: from.key,
          directory,
          onProgress: () => undefined,
          onUnreached: unreached,
          ...change,
        },
        done,
      );
    });
    return { directory, told, result, abandon: () => abandon() };
  }

  function push(from: Node, urls: readonly string[], share = SHARE): Promise<Outcome<undefined>> {
    return ended((done) => void from.transfer.push(share, urls, done));
  }

  it('brings what cannot be fetched, after each address was named', async () => {
    const [beta, alpha] = [await startNode(), await startNode()];
    const files = { stdout: 'out', 'work/deep/big.bin': makeBytes(3_000_000), 'work/empty': '' };
    const bundle = bundleFiles(newDirectory(), files, { directories: ['work/void'] });
    beta.transfer.share({ share: SHARE, bundle, peerKey: alpha.key });
    const { told, result, directory } = wait(beta, alpha, bundle);
    expect(await told).toBe('127.0.0.1:1: connection refused');
    expect(await push(beta, alpha.transfer.urls())).toMatchObject({ ok: true });
    expect(await result).toMatchObject({ ok: true, value: { bytes: 3_000_003, count: 3 } });
    expect(readFileSync(join(directory, 'work/deep/big.bin')).equals(files['work/deep/big.bin'])).toBe(true);
    expect(Object.keys(readFiles(directory)).toSorted()).toEqual([
      'stdout',
      'work/deep/big.bin',
      'work/empty',
      'work/void/',
    ]);
  });

  it('brings an empty bundle', async () => {
    const [beta, alpha] = [await startNode(), await startNode()];
    const bundle = bundleFiles(newDirectory(), {});
    beta.transfer.share({ share: SHARE, bundle, peerKey: alpha.key });
    const { told, result } = wait(beta, alpha, bundle);
    await told;
    expect(await push(beta, alpha.transfer.urls())).toMatchObject({ ok: true });
    expect(await result).toMatchObject({ ok: true, value: { count: 0 } });
  });

  it('goes on from where it was cut', async () => {
    const [beta, alpha] = [await startNode(), await startNode()];
    const bundle = bundleFiles(newDirectory(), {
      a: 'alpha',
      'big.bin': makeBytes(8_000_000),
      z: makeBytes(200_000, 3),
    });
    beta.transfer.share({ share: SHARE, bundle, peerKey: alpha.key });
    const { told, result } = wait(beta, alpha, bundle);
    await told;
    const proxy = await startFaultProxy(Number(new URL(alpha.transfer.urls()[0] ?? '').port));
    cleanups.push(() => proxy.close());
    proxy.cutSentAfter(1500, 3_000_000, 2_500_000);
    expect(await push(beta, [`https://127.0.0.1:${proxy.port}`])).toMatchObject({ ok: true });
    expect(await result).toMatchObject({ ok: true, value: { bytes: 8_200_005 } });
    expect(proxy.connections()).toBe(4);
  });

  it('is taken for a fetch under way only: of this share, from this peer, with this manifest', async () => {
    const [beta, alpha, gamma] = [await startNode(), await startNode(), await startNode()];
    const bundle = bundleFiles(newDirectory(), { a: 'alpha' });
    const other = bundleFiles(newDirectory(), { a: 'omega' });
    const urls = alpha.transfer.urls();
    for (const node of [beta, gamma]) node.transfer.share({ share: SHARE, bundle, peerKey: alpha.key });
    expect(await push(beta, urls)).toMatchObject({ ok: false });
    const { told, result, directory } = wait(beta, alpha, bundle);
    await told;
    expect(await push(gamma, urls)).toMatchObject({ ok: false });
    beta.transfer.share({ share: 'alpha/item-1/2/out', bundle, peerKey: alpha.key });
    expect(await push(beta, urls, 'alpha/item-1/2/out')).toMatchObject({ ok: false });
    beta.transfer.share({ share: SHARE, bundle: other, peerKey: alpha.key });
    expect(await push(beta, urls)).toMatchObject({ ok: false });
    expect(await push(beta, urls, 'alpha/item-1/9/out')).toMatchObject({ ok: false, final: true });
    expect(existsSync(directory)).toBe(false);
    beta.transfer.share({ share: SHARE, bundle, peerKey: alpha.key });
    expect(await push(beta, urls)).toMatchObject({ ok: true });
    expect(await result).toMatchObject({ ok: true });
    expect(await push(beta, urls)).toMatchObject({ ok: false });
  });

  it.each([
    ['PUT', `/p/${SHARE}/bytes`, 'bytes 0-4/5', '0'],
    ['PUT', `/p/${SHARE}/else`, undefined, 'nothing is waited for'],
    ['PUT', '/p/../../etc/manifest', undefined, 'there is no such share'],
    ['PUT', `/t/${SHARE}/manifest`, undefined, 'there is no such share'],
  ])('is not begun in the middle nor under another name: %s %s', async (_method, path, range, answer) => {
    const [beta, alpha] = [await startNode(), await startNode()];
    const bundle = bundleFiles(newDirectory(), { a: 'alpha' });
    const { told, directory, abandon } = wait(beta, alpha, bundle);
    await told;
    const { signal } = new AbortController();
    const to = { peerKey: alpha.key, urls: alpha.transfer.urls(), signal };
    const said = await beta.client.put({ ...to, path, range, bytes: 5, body: () => [Buffer.from('alpha')] });
    expect(said.text).toContain(answer);
    expect(said.status).toBeGreaterThanOrEqual(400);
    expect(existsSync(directory)).toBe(false);
    abandon();
  });

  it('does not reach into the reserve of the disk, and both sides are told', async () => {
    const [beta, alpha] = [await startNode(), await startNode({ room: 1000 })];
    const bundle = bundleFiles(newDirectory(), { a: makeBytes(1001) });
    beta.transfer.share({ share: SHARE, bundle, peerKey: alpha.key });
    const { told, result } = wait(beta, alpha, bundle);
    await told;
    const pushed = await push(beta, alpha.transfer.urls());
    expect(pushed.ok ? '' : pushed.reason).toContain(
      'no room: 1001 bytes are missing, 1000 are free beyond the reserve',
    );
    expect(await result).toMatchObject({ ok: false, lacksSpace: true });
  });

  it('that breaks what was announced ends the fetch, and leaves nothing in its place', async () => {
    const [beta, alpha] = [await startNode(), await startNode()];
    const bundle = bundleFiles(newDirectory(), { a: 'alpha' });
    const { told, result, directory } = wait(beta, alpha, bundle);
    await told;
    const { encodeManifest } = await import('../../../src/transfer/bundle/manifest-bundle.js');
    const manifest = encodeManifest(bundle.manifest);
    const to = { peerKey: alpha.key, urls: alpha.transfer.urls(), signal: new AbortController().signal };
    await beta.client.put({ ...to, path: `/p/${SHARE}/manifest`, bytes: manifest.length, body: () => [manifest] });
    const bytes = { ...to, path: `/p/${SHARE}/bytes`, range: 'bytes 0-4/5', bytes: 5 };
    expect(await beta.client.put({ ...bytes, body: () => [Buffer.from('omega')] })).toMatchObject({ status: 409 });
    expect(await result).toMatchObject({ ok: false, final: true });
    expect(existsSync(join(directory, 'a'))).toBe(false);
  });

  it('says of a peer that cannot be called where it was called, at once', async () => {
    const beta = await startNode();
    const bundle = bundleFiles(newDirectory(), { a: 'alpha' });
    beta.transfer.share({ share: SHARE, bundle, peerKey: beta.key });
    expect(await push(beta, DEAD)).toEqual({
      ok: false,
      final: false,
      unreached: true,
      reason: '127.0.0.1:1: connection refused',
    });
  });
});

describe('a fetch whose peer cannot be called', () => {
  const newDirectory = temporaryDirectories();

  it('ends after a while when nobody pushes, and says that there was no way', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const tls = createTlsPair(privateKey);
    const transfer = createHttpsTransfer({
      listener: createPeerListener({ tls, listen: '127.0.0.1', port: 0, advertise: [] }),
      client: createPeerClient({ tls }),
      sealer: createSealer(privateKey),
      publicKey: createIdentity(privateKey).publicKey,
      room: () => Promise.resolve(undefined),
      retryDelaysMs: [0, 10, 20],
      pushWaitMs: 50,
    });
    const told: string[] = [];
    const bundle = bundleFiles(newDirectory(), { a: 'alpha' });
    const result = await ended<Fetched>(
      (done) =>
        void transfer.fetch(
          {
            share: SHARE,
            urls: DEAD,
            sha256: bundle.sha256,
            peerKey: 'A'.repeat(43),
            directory: newDirectory(),
            onProgress: () => undefined,
            onUnreached: (reason) => told.push(reason),
          },
          done,
        ),
    );
    expect(result).toEqual({ ok: false, final: false, unreached: true, reason: '127.0.0.1:1: connection refused' });
    expect(told).toEqual(['127.0.0.1:1: connection refused']);
    await new Promise<void>((resolve) => transfer.close(resolve));
  });
});
