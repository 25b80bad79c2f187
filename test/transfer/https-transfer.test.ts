import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as requestHttps } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { createTlsPair } from '../../src/identity/certificate.js';
import { createIdentity } from '../../src/identity/create-identity.js';
import { createSealer } from '../../src/identity/seal.js';
import { createHttpsTransfer, type HttpsTransferOptions } from '../../src/transfer/https-transfer.js';
import { createPeerClient, type PeerClientOptions } from '../../src/transfer/peer/peer-client.js';
import { createPeerListener, type PeerListenerOptions } from '../../src/transfer/peer/peer-listener.js';
import type { Bundle, Outcome, Fetched } from '../../src/transfer/transfer.js';
import { testTransfer, type TransferNode } from '../conformance/transfer.js';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.js';
import { temporaryDirectories } from '../support/temporary-directory.js';
import { bundleFiles, fetchOnce, makeBytes, readFiles, succeeded, type Files } from '../support/transfer-steps.js';

type Overrides = Partial<
  PeerListenerOptions &
    PeerClientOptions &
    Pick<HttpsTransferOptions, 'retryDelaysMs' | 'pushWaitMs'> & { readonly room: number }
>;

function createNode(overrides: Overrides = {}, privateKey = generateKeyPairSync('ed25519').privateKey): TransferNode {
  const tls = createTlsPair(privateKey);
  const { retryDelaysMs = [0, 10, 20], pushWaitMs, room, ...patience } = overrides;
  const transfer = createHttpsTransfer({
    listener: createPeerListener({ tls, listen: '127.0.0.1', port: 0, advertise: [], ...overrides }),
    client: createPeerClient({ tls, ...patience }),
    sealer: createSealer(privateKey),
    publicKey: createIdentity(privateKey).publicKey,
    room: () => Promise.resolve(room),
    pushWaitMs,
    retryDelaysMs,
  });
  return { transfer, key: createIdentity(privateKey).publicKey };
}

testTransfer('https', createNode);

describe('the https transfer, when connections fail', () => {
  const newDirectory = temporaryDirectories();
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  async function startNode(
    overrides: Overrides = {},
    privateKey = generateKeyPairSync('ed25519').privateKey,
  ): Promise<TransferNode> {
    const node = createNode(overrides, privateKey);
    await succeeded((done) => node.transfer.start(done));
    cleanups.push(() => closeNode(node));
    return node;
  }

  async function startProxy(node: TransferNode): Promise<FaultProxy> {
    const proxy = await startFaultProxy(portOf(node));
    cleanups.push(() => proxy.close());
    return proxy;
  }

  it('goes on where a connection was cut, again and again', async () => {
    const [owner, receiver] = [await startNode(), await startNode()];
    const proxy = await startProxy(owner);
    const files = { 'a.txt': 'alpha', 'big.bin': makeBytes(4_000_000), 'small/z.bin': makeBytes(200_000, 3) };
    const bundle = bundleFiles(newDirectory(), files);
    owner.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    proxy.cutAfter(500, 3000, 1_000_000, 700_000, 1_500_000, 900_000);
    const directory = join(newDirectory(), 'work');
    const result = await fetch(owner, receiver, bundle, [`https://127.0.0.1:${proxy.port}`], directory);
    expect(result).toMatchObject({ ok: true, value: { bytes: 4_200_005, count: 3 } });
    expect(proxy.connections()).toBe(7);
    expect(readFileSync(join(directory, 'big.bin')).equals(files['big.bin'])).toBe(true);
    expect(readFileSync(join(directory, 'small/z.bin')).equals(files['small/z.bin'])).toBe(true);
    expect(readdirSync(directory).toSorted()).toEqual(['a.txt', 'big.bin', 'small']);
  });

  it('gives up after its rounds, not for good, and a later fetch takes up what is there', async () => {
    const [owner, receiver] = [await startNode(), await startNode({ retryDelaysMs: [] })];
    const proxy = await startProxy(owner);
    const bytes = makeBytes(6_000_000);
    const bundle = bundleFiles(newDirectory(), { 'a.txt': 'alpha', 'big.bin': bytes });
    owner.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    const directory = join(newDirectory(), 'work');
    const urls = [`https://127.0.0.1:${proxy.port}`];
    // The manifest takes a connection of its own.
    proxy.cutAfter(1_000_000, 4_000_000);
    expect(await fetch(owner, receiver, bundle, urls, directory)).toMatchObject({ ok: false, final: false });
    const kept = statSync(join(directory, '.tritmesh-parts/1')).size;
    // What was still in a socket is lost with the connection.
    expect(kept).toBeGreaterThan(100_000);
    expect(existsSync(join(directory, 'big.bin'))).toBe(false);
    // Less than the whole file may pass this time: it succeeds only if it goes on from the part.
    proxy.cutAfter(6_050_000 - kept);
    expect((await fetch(owner, receiver, bundle, urls, directory)).ok).toBe(true);
    expect(readFileSync(join(directory, 'big.bin')).equals(bytes)).toBe(true);
  });

  it('fetches a file anew when the part that was kept is not of it', async () => {
    const [owner, receiver] = [await startNode(), await startNode()];
    const bytes = makeBytes(1_000_000);
    const bundle = bundleFiles(newDirectory(), { 'big.bin': bytes, 'after.txt': 'after' });
    owner.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    for (const length of [1000, 1_000_000]) {
      const directory = newDirectory();
      mkdirSync(join(directory, '.tritmesh-parts'));
      writeFileSync(join(directory, '.tritmesh-parts/0'), makeBytes(length, 9));
      expect((await fetch(owner, receiver, bundle, owner.transfer.urls(), directory)).ok).toBe(true);
      expect(readFileSync(join(directory, 'big.bin')).equals(bytes)).toBe(true);
      expect(readdirSync(directory).toSorted()).toEqual(['after.txt', 'big.bin']);
    }
  });

  it('writes a small file anew when an earlier fetch died while it was written', async () => {
    const [owner, receiver] = [await startNode(), await startNode()];
    const bytes = makeBytes(200_000);
    const bundle = bundleFiles(newDirectory(), { 'small.bin': bytes, 'z.txt': 'last' });
    owner.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    for (const length of [0, 1000, 200_000]) {
      const directory = newDirectory();
      mkdirSync(join(directory, '.tritmesh-parts'));
      writeFileSync(join(directory, '.tritmesh-parts/0'), makeBytes(length, 9));
      expect(await fetch(owner, receiver, bundle, owner.transfer.urls(), directory)).toMatchObject({ ok: true });
      expect(readFileSync(join(directory, 'small.bin')).equals(bytes)).toBe(true);
      expect(readdirSync(directory).toSorted()).toEqual(['small.bin', 'z.txt']);
    }
  });

  it('lives through a restart of the server in the middle', async () => {
    const privateKey = generateKeyPairSync('ed25519').privateKey;
    const [owner, receiver] = [
      await startNode({}, privateKey),
      await startNode({ retryDelaysMs: Array<number>(2000).fill(5) }),
    ];
    const proxy = await startProxy(owner);
    const bytes = makeBytes(8_000_000);
    const bundle = bundleFiles(newDirectory(), { 'big.bin': bytes });
    owner.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    const directory = join(newDirectory(), 'work');
    proxy.cutAfter(3_000_000, 1_000_000_000);
    const fetched = fetchWithProgress(receiver, owner, bundle, `https://127.0.0.1:${proxy.port}`, directory);
    await fetched.moving;
    await closeNode(owner);
    const again = await startNode({}, privateKey);
    proxy.retarget(portOf(again));
    proxy.cutNow();
    again.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    expect((await fetched.result).ok).toBe(true);
    expect(readFileSync(join(directory, 'big.bin')).equals(bytes)).toBe(true);
  });

  it('tries the addresses in their order, and the one that worked first the next time', async () => {
    const [owner, receiver, stranger] = [await startNode(), await startNode(), await startNode()];
    const [first, second] = [await startProxy(stranger), await startProxy(owner)];
    const bundle = bundleFiles(newDirectory(), { 'a.txt': 'alpha' });
    owner.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    const urls = ['https://127.0.0.1:1', `https://127.0.0.1:${first.port}`, `https://127.0.0.1:${second.port}`];
    expect((await fetch(owner, receiver, bundle, urls, newDirectory())).ok).toBe(true);
    expect([first.connections(), second.connections()]).toEqual([1, 1]);
    expect((await fetch(owner, receiver, bundle, urls, newDirectory())).ok).toBe(true);
    // The kept connection was used again: no address was tried and no handshake paid.
    expect([first.connections(), second.connections()]).toEqual([1, 1]);
  });

  it('listens where it did before its restart, so that a fetch goes on; elsewhere if that port is taken', async () => {
    const lastPortFile = join(newDirectory(), 'port');
    const { privateKey } = generateKeyPairSync('ed25519');
    const [owner, receiver] = [await startNode({ lastPortFile }, privateKey), await startNode()];
    const bundle = bundleFiles(newDirectory(), { 'big.bin': makeBytes(4_000_000) });
    const order = { share: 's', urls: owner.transfer.urls(), sha256: bundle.sha256, peerKey: owner.key };
    await closeNode(owner);
    const again = createNode({ lastPortFile }, privateKey);
    again.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    await succeeded((done) => again.transfer.start(done));
    const directory = newDirectory();
    await succeeded((done) => receiver.transfer.fetch({ ...order, directory, onProgress: () => undefined }, done));
    const third = await startNode({ lastPortFile }, privateKey);
    expect(portOf(third)).not.toBe(portOf(again));
    await closeNode(again);
  });

  it('says, not for good, that nobody listens', async () => {
    const receiver = await startNode();
    const bundle = bundleFiles(newDirectory(), { 'a.txt': 'alpha' });
    const result = await fetch(await startNode(), receiver, bundle, ['https://127.0.0.1:1'], newDirectory());
    expect(result).toMatchObject({ ok: false, final: false });
    expect(result.ok ? '' : result.reason).toBe('127.0.0.1:1: connection refused');
    expect(await fetch(await startNode(), receiver, bundle, [], newDirectory())).toMatchObject({
      ok: false,
      final: true,
    });
  });

  it('counts a peer that falls silent as cut', async () => {
    const [owner, receiver] = [await startNode(), await startNode({ connectMs: 50, retryDelaysMs: [0] })];
    const bundle = bundleFiles(newDirectory(), { 'a.txt': 'alpha' });
    const deaf = await startDeaf();
    const result = await fetch(owner, receiver, bundle, [`https://127.0.0.1:${deaf.port}`], newDirectory());
    deaf.close();
    expect(result).toMatchObject({ ok: false, final: false });
    expect(result.ok ? '' : result.reason).toMatch(/^127\.0\.0\.1:\d+: no answer$/);
  });

  it('does not wait for addresses that lead nowhere before it calls the next one', async () => {
    const [owner, receiver] = [await startNode(), await startNode({ connectMs: 600_000 })];
    const deaf = await Promise.all([1, 2, 3].map(() => startDeaf()));
    for (const one of deaf) cleanups.push(() => Promise.resolve(one.close()));
    const bundle = bundleFiles(newDirectory(), { 'a.txt': 'alpha' });
    owner.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    const urls = [...deaf.map(({ port }) => `https://127.0.0.1:${port}`), ...owner.transfer.urls()];
    expect(await fetch(owner, receiver, bundle, urls, newDirectory())).toMatchObject({ ok: true });
  });

  it('serves both families where it listens on ::', async () => {
    const [owner, receiver] = [await startNode({ listen: '::' }), await startNode()];
    const bundle = bundleFiles(newDirectory(), { 'a.txt': 'alpha' });
    owner.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    const urls = [`https://127.0.0.1:${portOf(owner)}`];
    expect(await fetch(owner, receiver, bundle, urls, newDirectory())).toMatchObject({ ok: true });
  });

  it('says when its port is taken', async () => {
    const owner = await startNode();
    const late = createNode({ port: portOf(owner) });
    const result = await new Promise<Outcome<undefined>>((resolve) => late.transfer.start(resolve));
    expect(result).toMatchObject({ ok: false, final: false });
    expect(result.ok ? '' : result.reason).toContain('EADDRINUSE');
  });

  it('answers clients without a certificate, with another kind of key, and odd requests with 404', async () => {
    const [owner, receiver] = [await startNode(), await startNode()];
    const bundle = bundleFiles(newDirectory(), { 'a.txt': 'alpha' });
    owner.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    const { port } = new URL(owner.transfer.urls()[0] ?? '');
    for (const [method, path] of [
      ['GET', '/t/s/manifest'],
      ['GET', '/t/s/bytes'],
      ['POST', '/t/s/manifest'],
      ['GET', '/t/../s/manifest'],
      ['GET', '/'],
    ] as const) {
      const asked = requestHttps({ host: '127.0.0.1', port, method, path, rejectUnauthorized: false, agent: false });
      asked.end();
      const [answer] = (await once(asked, 'response')) as [{ statusCode: number; resume(): void }];
      answer.resume();
      expect(answer.statusCode).toBe(404);
    }
  });

  it('speaks TLS 1.3 only', async () => {
    const owner = await startNode();
    const old = connect({ host: '127.0.0.1', port: portOf(owner), maxVersion: 'TLSv1.2', rejectUnauthorized: false });
    const [error] = (await once(old, 'error')) as [Error];
    expect(error.message).toMatch(/protocol version|alert/);
  });

  it('advertises the host it is told to', async () => {
    const owner = await startNode({ advertise: ['nas.example', 'nas.example:4711', '[fd00::1]:4711'] });
    expect(owner.transfer.urls()[0]).toMatch(/^https:\/\/nas\.example:\d+$/);
    expect(owner.transfer.urls().slice(1)).toEqual(['https://nas.example:4711', 'https://[fd00::1]:4711']);
  });

  it('leaves no file of a cut fetch in its place', async () => {
    const [owner, receiver] = [await startNode(), await startNode({ retryDelaysMs: [] })];
    const proxy = await startProxy(owner);
    const bundle = bundleFiles(newDirectory(), { 'a.txt': 'alpha', 'b.bin': makeBytes(100_000) });
    owner.transfer.share({ share: 's', bundle, peerKey: receiver.key });
    proxy.cutAfter(60_000);
    const directory = join(newDirectory(), 'work');
    await fetch(owner, receiver, bundle, [`https://127.0.0.1:${proxy.port}`], directory);
    const left = Object.keys(readFiles(directory)).filter((name) => !name.startsWith('.tritmesh-parts'));
    expect(left).toEqual(['a.txt']);
  });
});

function fetch(
  from: TransferNode,
  to: TransferNode,
  bundle: Bundle,
  urls: readonly string[],
  directory: string,
): Promise<Outcome<Fetched>> {
  return fetchOnce(to.transfer, { share: 's', urls, sha256: bundle.sha256, peerKey: from.key, directory });
}

function portOf(node: TransferNode): number {
  return Number(new URL(node.transfer.urls()[0] ?? '').port);
}

/** A port that takes connections and never says a word. */
async function startDeaf(): Promise<{ readonly port: number; close(): void }> {
  const deaf = createServer();
  deaf.listen(0, '127.0.0.1');
  await once(deaf, 'listening');
  return { port: (deaf.address() as { port: number }).port, close: () => void deaf.close() };
}

function closeNode(node: TransferNode): Promise<void> {
  return new Promise((resolve) => node.transfer.close(resolve));
}

function fetchWithProgress(
  to: TransferNode,
  from: TransferNode,
  bundle: Bundle,
  url: string,
  directory: string,
): { readonly moving: Promise<void>; readonly result: Promise<Outcome<Fetched>> } {
  let move: () => void;
  const moving = new Promise<void>((resolve) => (move = resolve));
  const order = {
    share: 's',
    urls: [url],
    sha256: bundle.sha256,
    peerKey: from.key,
    directory,
    onProgress: () => move(),
  };
  const result = new Promise<Outcome<Fetched>>((resolve) => void to.transfer.fetch(order, resolve));
  return { moving, result };
}

describe('a fetch of a node from itself', () => {
  const newDirectory = temporaryDirectories();

  async function fetchOwn(
    files: Files,
    change: (root: string, directory: string) => void = () => undefined,
  ): Promise<{ readonly result: Outcome<Fetched>; readonly root: string; readonly directory: string }> {
    const node = createNode();
    await succeeded((done) => node.transfer.start(done));
    onTestFinished(() => closeNode(node));
    const root = newDirectory();
    const bundle = bundleFiles(root, files);
    node.transfer.share({ share: 's', bundle, peerKey: node.key });
    const directory = newDirectory();
    change(root, directory);
    const result = await fetchOnce(node.transfer, {
      share: 's',
      urls: [],
      sha256: bundle.sha256,
      peerKey: node.key,
      directory,
    });
    return { result, root, directory };
  }

  it('links the files of an image, and copies those that a process writes to', async () => {
    const files = { 'image/pages-1.img': makeBytes(2_000_000), 'held/log.txt': 'so far\n', 'work/a/b.txt': 'b' };
    const { result, root, directory } = await fetchOwn(files);
    expect(result).toMatchObject({ ok: true, value: { bytes: 2_000_008, count: 3 } });
    const isShared = (path: string): boolean => statSync(join(root, path)).ino === statSync(join(directory, path)).ino;
    expect(Object.keys(files).map(isShared)).toEqual([true, false, false]);
    expect(readFiles(directory)).toEqual(readFiles(root));
  });

  it.each([
    ['another byte', (path: string) => writeFileSync(path, Buffer.alloc(2_000_000, 7)), /pages-1\.img/],
    ['fewer bytes', (path: string) => writeFileSync(path, 'short'), /pages-1\.img/],
    ['no file', (path: string) => rmSync(path), /pages-1\.img/],
  ])('refuses an image that has %s by then', async (_what, harm, reason) => {
    const files = { 'image/pages-1.img': makeBytes(2_000_000) };
    const { result } = await fetchOwn(files, (root) => harm(join(root, 'image/pages-1.img')));
    expect(result).toMatchObject({ ok: false, final: true, reason: expect.stringMatching(reason) as string });
  });

  it('leaves what it linked as it is when it has to fetch it again', async () => {
    const bytes = makeBytes(2_000_000);
    const files = { 'a.txt': 'alpha', 'image/pages-1.img': bytes };
    const { result, root, directory } = await fetchOwn(files, (_root, at) => {
      // The first file is there and wrong, so everything is fetched as from another node.
      writeFileSync(join(at, 'a.txt'), 'omega');
    });
    expect(result.ok).toBe(true);
    expect(readFiles(directory)).toEqual(readFiles(root));
    expect(readFileSync(join(root, 'image/pages-1.img')).equals(bytes)).toBe(true);
  });
});
