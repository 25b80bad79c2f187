/**
 * Carries out one fetch: the manifest, then the one byte stream behind it. A cut is gone over again from where it stopped,
 * address by address, with growing pauses; a wrong hash or a refusal that lasts is final.
 */
import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Manifest } from '../protocol/manifest.js';
import { MANIFEST_BYTES_MAX } from '../protocol/limits.js';
import { describeError, Refused } from './ended.js';
import { openManifest, sumBytes } from './manifest-bundle.js';
import { StalePart } from './part-file.js';
import { Unreachable, type PeerClient } from './peer-client.js';
import type { Fetched, FetchOrder } from './transfer.js';
import { openTree, type TreeWriter } from './tree-writer.js';

/** Progress is told at most this often. */
const PROGRESS_MS = 500;

/** What a fetch works with. */
export interface FetchTools {
  readonly client: PeerClient;
  /** Pauses between rounds over the addresses; after the last one the fetch has failed. Progress starts them anew. */
  readonly retryDelaysMs: readonly number[];
  /** The address that worked last for a peer: it is tried first. */
  readonly preferred: Map<string, string>;
}

/** Fetches. Throws Refused when trying again cannot help, the signal's reason when it was abandoned. */
export async function fetchOrder(order: FetchOrder, tools: FetchTools, signal: AbortSignal): Promise<Fetched> {
  const manifest = await retry(order, tools, signal, {
    run: (url) => fetchManifest(order, tools, url, signal),
    progress: () => 0,
  });
  const total = sumBytes(manifest);
  const tree = await openTree(order.directory, manifest);
  try {
    const tell = createTeller(order, total);
    await retry(order, tools, signal, {
      run: (url) => fetchBytes({ order, tools, url, signal, tree, total, tell }),
      progress: () => tree.offset(),
    });
    await tree.finish();
    const { command, files, directories } = manifest;
    return { command, contents: { files, directories }, bytes: total, count: files.length };
  } finally {
    await tree.close();
  }
}

/** Something to try at one address after the other. */
interface Attempt<T> {
  run(url: string): Promise<T>;
  /** Grows while attempts get further. */
  progress(): number;
}

async function retry<T>(order: FetchOrder, tools: FetchTools, signal: AbortSignal, attempt: Attempt<T>): Promise<T> {
  let reached = attempt.progress();
  for (let round = 0; ; round += 1) {
    try {
      return await tryAddresses(order, tools, attempt, signal);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      if (attempt.progress() > reached) round = 0;
      reached = attempt.progress();
      const delayMs = tools.retryDelaysMs[round];
      if (delayMs === undefined) throw error.isRefusal ? new Refused(error.message) : error;
      await pause(delayMs, undefined, { signal });
    }
  }
}

/** Tries every address once, the one that worked last first. */
async function tryAddresses<T>(
  order: FetchOrder,
  tools: FetchTools,
  attempt: Attempt<T>,
  signal: AbortSignal,
): Promise<T> {
  const faults: Unreachable[] = [];
  for (const url of sortAddresses(order, tools)) {
    try {
      const value = await attempt.run(url);
      tools.preferred.set(order.peerKey, url);
      return value;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Unreachable)) throw error;
      faults.push(error);
    }
  }
  if (faults.length === 0) throw new Refused('there is no address to fetch from');
  const sentence = [...new Set(faults.map((fault) => fault.message))].join('; ');
  throw new Unreachable(
    sentence,
    faults.every((fault) => fault.isRefusal),
  );
}

function sortAddresses(order: FetchOrder, tools: FetchTools): readonly string[] {
  const first = tools.preferred.get(order.peerKey);
  if (first === undefined || !order.urls.includes(first)) return order.urls;
  return [first, ...order.urls.filter((url) => url !== first)];
}

async function fetchManifest(
  order: FetchOrder,
  tools: FetchTools,
  url: string,
  signal: AbortSignal,
): Promise<Manifest> {
  const { peerKey, share } = order;
  const answer = await tools.client.get({ peerKey, url, path: `/t/${share}/manifest`, start: 0, signal });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readChunks(answer, url)) {
    size += chunk.length;
    if (size > MANIFEST_BYTES_MAX) throw new Refused(`the manifest is over ${MANIFEST_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return openManifest(Buffer.concat(chunks), order.sha256);
}

interface Stream {
  readonly order: FetchOrder;
  readonly tools: FetchTools;
  readonly url: string;
  readonly signal: AbortSignal;
  readonly tree: TreeWriter;
  readonly total: number;
  readonly tell: (bytes: number) => void;
}

async function fetchBytes({ order, tools, url, signal, tree, total, tell }: Stream): Promise<void> {
  const { peerKey, share } = order;
  while (tree.offset() < total) {
    const answer = await tools.client.get({ peerKey, url, path: `/t/${share}/bytes`, start: tree.offset(), signal });
    try {
      for await (const chunk of readChunks(answer, url)) {
        await tree.write(chunk);
        tell(tree.offset());
      }
      if (tree.offset() < total) throw new Unreachable(`${url}: the stream ended early`, false);
    } catch (error) {
      // A part of an earlier fetch was not of this file: the loop asks again from where that file begins.
      if (!(error instanceof StalePart)) throw error;
    }
  }
}

/** The chunks of an answer; a connection that breaks is told apart from what the reader of the chunks throws. */
async function* readChunks(answer: IncomingMessage, url: string): AsyncGenerator<Buffer, void, void> {
  const chunks = answer[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        throw new Unreachable(`${url}: ${describeError(error)}`, false, error);
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    answer.destroy();
  }
}

function createTeller(order: FetchOrder, total: number): (bytes: number) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (bytes) => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_MS) return;
    toldAt = now;
    order.onProgress(bytes, total);
  };
}
