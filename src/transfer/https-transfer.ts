/**
 * The transfer over HTTPS: one side pulls, or the other pushes. Both present a certificate of their node's key, and
 * only that key counts (names and authorities do not). It never serves anything but shares, each to its one peer, and
 * never accepts anything that is not being fetched.
 */
import type { Sealer } from '../identity/seal.js';
import { Refused, toOutcome } from './outcome.js';
import { fetchShare, PUSH_WAIT_MS, type FetchTools } from './share/fetch-share.js';
import type { Intake } from './share/intake.js';
import type { PeerClient } from './peer/peer-client.js';
import type { PeerListener } from './peer/peer-listener.js';
import { pushShare } from './share/push-share.js';
import { createPushServer } from './share/push-server.js';
import { encodeManifest } from './bundle/manifest-bundle.js';
import { openSealed, sealBundleTo } from './bundle/sealed-bundle.js';
import { createShareServer } from './share/share-server.js';
import type { KnownDigests } from './tree/known-digests.js';
import { layOut } from './tree/lay-out.js';
import type { Fetched, FetchRequest, Outcome, Transfer } from './transfer.js';

/** What the transfer depends on, and its timeouts. */
export interface HttpsTransferOptions {
  readonly listener: PeerListener;
  readonly client: PeerClient;
  readonly sealer: Sealer;
  /** This node's public key. A fetch from this node itself also tries the listener's local address. */
  readonly publicKey: string;
  /** Bytes that may be written here without touching the reserve; `undefined` when unknown. */
  readonly room: () => Promise<number | undefined>;
  /** Hashes of images that this process has computed, shared with the workspace. */
  readonly known?: KnownDigests | undefined;
  /** How long a fetch stays open waiting for a push, ms. */
  readonly pushWaitMs?: number | undefined;
  readonly retryDelaysMs?: readonly number[] | undefined;
}

const RETRY_DELAYS_MS: readonly number[] = [0, 250, 500, 1000, 2000, 4000];

/** Creates the HTTPS transfer; it opens nothing before `start` and calls back no fetch or push after `close`. */
export function createHttpsTransfer(options: HttpsTransferOptions): Transfer {
  const { listener, client, sealer } = options;
  const shares = createShareServer();
  listener.handle('/t/', shares.answer);
  const retryDelaysMs = options.retryDelaysMs ?? RETRY_DELAYS_MS;
  const intakes = new Map<string, Intake>();
  const pushWaitMs = options.pushWaitMs ?? PUSH_WAIT_MS;
  const tools: FetchTools = { client, retryDelaysMs, intakes, pushWaitMs, known: options.known };
  listener.handle('/p/', createPushServer({ intakes, room: options.room }));
  const running = new Set<AbortController>();

  /** Runs work that can be abandoned; `done` is then not called. */
  function run<T>(work: (signal: AbortSignal) => Promise<T>, done: (ended: Outcome<T>) => void): () => void {
    const abandoned = new AbortController();
    running.add(abandoned);
    toOutcome(work(abandoned.signal), (ended) => {
      running.delete(abandoned);
      if (!abandoned.signal.aborted) done(ended);
    });
    return () => abandoned.abort();
  }

  async function fetch(order: FetchRequest, signal: AbortSignal): Promise<Fetched> {
    if (order.peerKey !== options.publicKey) return fetchShare(order, tools, signal);
    const shared = shares.find(order.share)?.bundle;
    const own = shared?.sha256 === order.sha256 ? shared : undefined;
    if (own !== undefined) await layOut(own, order.directory, signal);
    // Its published addresses may not be reachable from this node itself (NAT), so local ones come first.
    const asked = { ...order, isLarge: false, urls: [...listener.ownUrls(), ...order.urls] };
    return fetchShare(asked, tools, signal, own && encodeManifest(own.manifest));
  }

  return {
    name: 'https',
    start: (done) => toOutcome(listener.start(), done),
    urls: () => listener.urls(),
    share: (share) => shares.share(share),
    unshare: (share) => shares.unshare(share),
    fetch: (order, done) => run((signal) => fetch(order, signal), done),
    push: (name, urls, done) =>
      run(async (signal) => {
        const share = shares.find(name);
        if (share === undefined) throw new Refused(`${name} is not shared any more`);
        return pushShare(share, urls, { client, retryDelaysMs }, signal);
      }, done),
    call: (peerKey, urls, done) => toOutcome(client.call(peerKey, urls), done),
    sealKey: sealer.sealKey,
    seal: (share, bundle, sealKey, done) => toOutcome(sealBundleTo(sealKey, share, bundle), done),
    open: (order, done) => toOutcome(openSealed(order, sealer), done),
    close: (done) => {
      for (const abandoned of running) abandoned.abort();
      client.close();
      listener.close(done);
    },
  };
}
