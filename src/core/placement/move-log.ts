/**
 * The log of moves: which are under way, what was predicted for those that were made, and how fast their images
 * travelled. It only observes items. How moves turned out is judged in `move-outcome.ts`.
 */
import type { State } from '../../protocol/messages.js';
import { isSettled, type OwnedItem } from '../owner/owned-item.js';

/** A move that was ordered and has not ended yet. Monotonic ms. */
export interface MoveUnderWay {
  readonly from: string;
  readonly reason: string;
  readonly orderedAt: number;
  readonly ackedAt: number;
  /** How long it took until the image was at the owner; `undefined` before that, and without an image. */
  readonly homeMs: number | undefined;
  readonly imageBytes: number;
  /** Load per cpu of the node that it leaves, at the time of the order, and the part of it that the item asks for. */
  readonly ratioFrom: number;
  readonly share: number;
}

/** A move that was made and will be checked. Ratios are load per cpu. */
export interface MadeMove {
  readonly item: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly madeAt: number;
  readonly share: number;
  readonly predictedFrom: number;
  readonly predictedTo: number;
  /** Checks that were made already. */
  readonly checks: number;
}

/** The back-off of a pair of nodes. */
export interface PairBackoff {
  /** Bad moves in a row. */
  readonly count: number;
  readonly endsAt: number;
}

/** Everything known about moves. In memory only. */
export interface MoveLog {
  readonly underWay: ReadonlyMap<string, MoveUnderWay>;
  readonly made: readonly MadeMove[];
  /** Image bytes per second, by receiver. */
  readonly paces: ReadonlyMap<string, number>;
  /** By `<from> <to>`. */
  readonly backoffs: ReadonlyMap<string, PairBackoff>;
}

/** What the log depends on. */
export interface MoveLogContext {
  readonly self: string;
  readonly now: number;
  /** The last known state of a member. */
  stateOf(node: string): Pick<State, 'load_ratio' | 'projected_ratio' | 'cpus'> | undefined;
  /** Where an item runs now; `undefined` if it has ended or is being moved. */
  placeOf(item: string): string | undefined;
}

/** An empty log. */
export const NO_MOVES: MoveLog = { underWay: new Map(), made: [], paces: new Map(), backoffs: new Map() };

/** Smaller images say nothing about the link: nearly all of their time is start and stop. */
const PACE_BYTES_MIN = 4_000_000;
/** Weight of a new measurement in the moving average. */
const PACE_WEIGHT = 0.5;

/** Updates the log when an item has changed. */
export function watchItem(
  log: MoveLog,
  before: OwnedItem | undefined,
  after: OwnedItem | undefined,
  context: MoveLogContext,
): MoveLog {
  const id = (after ?? before)?.spec.id ?? '';
  const move = log.underWay.get(id);
  if (move === undefined) return after !== undefined && isLeaving(before, after) ? begin(log, after, context) : log;
  if (after === undefined || isBroken(before, after)) return { ...log, underWay: without(log.underWay, id) };
  if (after.phase === 'acked' && before?.phase !== 'acked') return change(log, id, { ...move, ackedAt: context.now });
  if (after.image !== null && after.phase === 'queued' && move.homeMs === undefined) {
    const homeMs = context.now - move.orderedAt;
    return change(log, id, { ...move, homeMs, imageBytes: after.image.bytes });
  }
  if (after.phase !== 'running' || after.receiver === null) return log;
  if (after.receiver !== move.from) return finish(log, after, after.receiver, move, context);
  // The move was refused or given up: the item still runs where it did.
  return after.order === 'hold' ? { ...log, underWay: without(log.underWay, id) } : log;
}

function isLeaving(before: OwnedItem | undefined, after: OwnedItem): boolean {
  if (after.receiver === null) return false;
  if (isOrderedAway(after)) return !isOrderedAway(before);
  // Its receiver sends it away without an order.
  return after.result?.outcome === 'vacated' && before?.result?.outcome !== 'vacated';
}

function isOrderedAway(state: OwnedItem | undefined): boolean {
  return state?.order === 'checkpoint' || state?.order === 'vacate';
}

/** Whether the move is over without success: the item ended, or is offered again because its receiver was lost. */
function isBroken(before: OwnedItem | undefined, after: OwnedItem): boolean {
  if (isSettled(after.phase) || after.phase === 'lost') return true;
  return after.phase === 'queued' && after.image === null && before?.phase !== 'queued' && before?.hops === after.hops;
}

function begin(log: MoveLog, item: OwnedItem, context: MoveLogContext): MoveLog {
  const from = item.receiver ?? context.self;
  const state = context.stateOf(from);
  return change(log, item.spec.id, {
    from,
    // For an ordered move `moveReason` is the cause; `reason` changes on its way.
    reason: isOrderedAway(item) ? (item.moveReason ?? item.reason) : item.reason,
    orderedAt: context.now,
    ackedAt: context.now,
    homeMs: undefined,
    imageBytes: 0,
    ratioFrom: state?.load_ratio ?? 0,
    share: item.spec.need.cpus / (state?.cpus ?? 1),
  });
}

function finish(log: MoveLog, item: OwnedItem, to: string, move: MoveUnderWay, context: MoveLogContext): MoveLog {
  const id = item.spec.id;
  const state = context.stateOf(to);
  const made: MadeMove = {
    item: id,
    from: move.from,
    to,
    reason: move.reason,
    madeAt: context.now,
    share: move.share,
    predictedFrom: Math.max(0, move.ratioFrom - move.share),
    predictedTo: state?.projected_ratio ?? 0,
    checks: 0,
  };
  return {
    ...log,
    underWay: without(log.underWay, id),
    made: [...log.made, made],
    paces: paceOf(log.paces, to, move, context.now),
  };
}

function paceOf(
  paces: MoveLog['paces'],
  to: string,
  { homeMs, imageBytes, ackedAt }: MoveUnderWay,
  now: number,
): MoveLog['paces'] {
  if (homeMs === undefined || imageBytes < PACE_BYTES_MIN) return paces;
  // The time that it waited for a receiver in between says nothing about the link.
  const measured = (1000 * imageBytes) / Math.max(1, homeMs + now - ackedAt);
  const known = paces.get(to) ?? measured;
  return new Map(paces).set(to, known + PACE_WEIGHT * (measured - known));
}

function change(log: MoveLog, item: string, move: MoveUnderWay): MoveLog {
  return { ...log, underWay: new Map(log.underWay).set(item, move) };
}

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
