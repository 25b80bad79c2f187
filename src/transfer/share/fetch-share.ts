/**
 * Carries out one fetch: the manifest, then the one byte stream behind it. A cut is gone over again from where it
 * stopped, with growing pauses; a wrong hash or a refusal that lasts is final. Where no address of the peer takes a
 * connection that is told, and the fetch stays open for a while: the peer may bring it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { MANIFEST_BYTES_MAX } from '../../protocol/limits.js';
import { Refused } from '../outcome.js';
import { Busy, createIntake, type Intake } from './intake.js';
import type { PeerClient } from '../peer/peer-client.js';
import { Unreachable } from '../peer/peer-connect.js';
import { readChunks } from '../tree/read-chunks.js';
import type { Fetched, FetchRequest } from '../transfer.js';

/** How long a fetch whose peer cannot be called stays open without a byte: that one must hear of it, and connect. */
export const PUSH_WAIT_MS = 7000;
const BUSY_MS = 250;
const LONGEST_PAUSE_MS = 1000;

/** What a fetch works with. */
export interface FetchTools {
  readonly client: PeerClient;
  /** Pauses between attempts; after the last one the fetch has failed. Progress starts them anew. */
  readonly retryDelaysMs: readonly number[];
  readonly pushWaitMs: number;
  /** Fetches under way by share: what may be pushed here. */
  readonly intakes: Map<string, Intake>;
}

/** Fetches. Throws Refused when trying again cannot help, the signal's reason when it was abandoned. */
export async function fetchShare(order: FetchRequest, tools: FetchTools, signal: AbortSignal): Promise<Fetched> {
  const intake = createIntake(order);
  const whole = new AbortController();
  tools.intakes.set(order.share, intake);
  try {
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
  for (;;) {
    try {
      await pullOnce(intake, tools.client, signal);
      return await intake.whole;
    } catch (error) {
      signal.throwIfAborted();
      await pause(error instanceof Busy ? BUSY_MS : patience(error), undefined, { signal });
    }
  }
}

async function pullOnce(intake: Intake, client: PeerClient, signal: AbortSignal): Promise<void> {
  if (!intake.isDescribed()) await intake.describe(await fetchManifest(intake.order, client, signal));
  const { peerKey, share, urls } = intake.order;
  while (intake.offset() < intake.total()) {
    if (intake.isBusy()) throw new Busy('it is being pushed');
    const start = intake.offset();
    const answer = await client.get({ peerKey, urls, path: `/t/${share}/bytes`, start, signal });
    const before = intake.offset();
    await intake.fill(start, readChunks(answer));
    if (intake.offset() === before && intake.offset() < intake.total()) throw new Unreachable('the stream ended early');
  }
}

/**
 * How long to pause after a failed attempt, ms; throws the error when it has been enough. A peer that cannot be called
 * is waited for by the clock, since it may push meanwhile; any other fault is counted.
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
