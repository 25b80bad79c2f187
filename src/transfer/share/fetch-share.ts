/**
 * Carries out one fetch: the manifest, then the one byte stream that follows it. After a broken connection it resumes
 * where it stopped, with growing pauses; a wrong hash or a persistent refusal is final. If no address of the peer
 * takes a connection, that is reported and the fetch stays open for a while, since the peer may push instead.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { MANIFEST_BYTES_MAX } from '../../protocol/limits.js';
import { Refused } from '../outcome.js';
import { Busy, createIntake, type Intake } from './intake.js';
import type { PeerClient } from '../peer/peer-client.js';
import { Unreachable } from '../peer/peer-connect.js';
import type { PeerLine } from '../peer/peer-stream.js';
import type { KnownDigests } from '../tree/known-digests.js';
import { readChunks } from '../tree/read-chunks.js';
import type { Fetched, FetchRequest } from '../transfer.js';

/**
 * How long a fetch from a peer that takes no connection stays open without receiving a byte, ms: the peer has to
 * learn of it first, and then connect.
 */
export const PUSH_WAIT_MS = 7000;
const BUSY_MS = 250;
const LONGEST_PAUSE_MS = 1000;
/** From here on, a connection of its own costs less than what node's HTTP client adds. */
const LARGE_BYTES: number = 1024 * 1024;

/** What a fetch depends on. */
export interface FetchTools {
  readonly client: PeerClient;
  /** Pauses between attempts; after the last one the fetch fails. Progress restarts the list. */
  readonly retryDelaysMs: readonly number[];
  readonly pushWaitMs: number;
  /** Running fetches by share: what may be pushed here. */
  readonly intakes: Map<string, Intake>;
  readonly known?: KnownDigests | undefined;
}

/**
 * Fetches a share; a `manifest` that is known already is not fetched. Throws Refused when a retry cannot help, or the
 * signal's reason when it was abandoned.
 */
export async function fetchShare(
  order: FetchRequest,
  tools: FetchTools,
  signal: AbortSignal,
  manifest?: Buffer,
): Promise<Fetched> {
  const intake = createIntake(order, tools.known);
  const whole = new AbortController();
  tools.intakes.set(order.share, intake);
  try {
    if (manifest !== undefined) await intake.describe(manifest);
    const stop = AbortSignal.any([signal, whole.signal]);
    return await Promise.race([intake.whole, pull(intake, tools, stop)]);
  } finally {
    whole.abort();
    if (tools.intakes.get(order.share) === intake) tools.intakes.delete(order.share);
    await intake.close();
  }
}

async function pull(intake: Intake, tools: FetchTools, signal: AbortSignal): Promise<Fetched> {
  const patience = createPatience(intake, tools);
  const { peerKey, urls, isLarge } = intake.order;
  /** A connection that waits for the manifest to arrive. */
  let line = isLarge === true && urls.length > 0 ? tools.client.line(peerKey, urls) : undefined;
  try {
    for (;;) {
      try {
        await pullOnce(intake, tools.client, signal, () => {
          const opened = line ?? tools.client.line(peerKey, urls);
          line = undefined;
          return opened;
        });
        return await intake.whole;
      } catch (error) {
        signal.throwIfAborted();
        await pause(error instanceof Busy ? BUSY_MS : patience(error), undefined, { signal });
      }
    }
  } finally {
    line?.close();
  }
}

async function pullOnce(
  intake: Intake,
  client: PeerClient,
  signal: AbortSignal,
  takeLine: () => PeerLine,
): Promise<void> {
  if (!intake.isDescribed()) await intake.describe(await fetchManifest(intake.order, client, signal));
  const { peerKey, share, urls } = intake.order;
  while (intake.offset() < intake.total()) {
    if (intake.isBusy()) throw new Busy('it is being pushed');
    const start = intake.offset();
    const path = `/t/${share}/bytes`;
    const isLarge = intake.total() - start >= LARGE_BYTES;
    const streamed = isLarge ? await takeLine().ask({ path, start, signal }) : undefined;
    const pieces = streamed ?? readChunks(await client.get({ peerKey, urls, path, start, signal }));
    const before = intake.offset();
    await intake.fill(start, pieces);
    if (intake.offset() === before && intake.offset() < intake.total()) throw new Unreachable('the stream ended early');
  }
}

/**
 * Returns how long to pause after a failed attempt, ms, or throws the error when it is time to give up. A peer that
 * takes no connection is limited by the clock, since it may push meanwhile; other faults are limited by their number.
 */
function createPatience(intake: Intake, { retryDelaysMs, pushWaitMs }: FetchTools): (error: unknown) => number {
  const { onUnreached } = intake.order;
  let reached = intake.offset();
  let round = 0;
  let toldAt: number | undefined;
  return (error) => {
    if (!(error instanceof Unreachable)) throw error;
    if (intake.offset() > reached) round = 0;
    reached = intake.offset();
    const delayMs = retryDelaysMs[round];
    round += 1;
    if (!error.isUncalled || onUnreached === undefined) {
      if (delayMs === undefined) throw error.isRefusal ? new Refused(error.message) : error;
      return delayMs;
    }
    if (toldAt === undefined) onUnreached(error.message);
    toldAt ??= performance.now();
    const isOver = performance.now() - Math.max(toldAt, intake.activeAt()) >= pushWaitMs && !intake.isBusy();
    if (isOver) throw error;
    return Math.min(delayMs ?? LONGEST_PAUSE_MS, LONGEST_PAUSE_MS);
  };
}

async function fetchManifest(order: FetchRequest, client: PeerClient, signal: AbortSignal): Promise<Buffer> {
  const { peerKey, share, urls } = order;
  const answer = await client.get({ peerKey, urls, path: `/t/${share}/manifest`, start: 0, signal });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readChunks(answer)) {
    size += chunk.length;
    if (size > MANIFEST_BYTES_MAX) throw new Refused(`the manifest is over ${MANIFEST_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
