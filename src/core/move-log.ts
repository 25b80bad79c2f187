/**
 * Keeps what is known of moves: which are under way, what was predicted of those that were made, and how fast their images went.
 * Pure; it watches items and moves nothing. What became of moves is in `move-outcome.ts`.
 */
import type { State } from '../protocol/messages.js';
import { isSettled, type OwnedItem } from './owner/owned-item.js';

/** A move that was ordered and has not ended yet. Monotonic ms. */
export interface MoveUnderWay {
  readonly from: string;
  readonly reason: string;
  readonly orderedAt: number;
  readonly ackedAt: number;
  /** How long it took until the image was home; `undefined` before, and for what has no image. */
  readonly homeMs: number | undefined;
  readonly imageBytes: number;
  /** Load per cpu of the node it leaves, when that was ordered, and the part of it that the item asks for. */
  readonly ratioFrom: number;
  readonly share: number;
}

/** A move that was made, and is looked at again. Ratios are load per cpu. */
export interface MadeMove {
  readonly item: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly madeAt: number;
  readonly share: number;
  readonly predictedFrom: number;
  readonly predictedTo: number;
  /** Looks that were taken already. */
  readonly looks: number;
}

/** A pair of nodes that is left alone. */
export interface Grudge {
  /** Bad moves in a row. */
  readonly count: number;
  readonly endsAt: number;
}

/** All that is kept of moves. */
export interface MoveLog {
  readonly underWay: ReadonlyMap<string, MoveUnderWay>;
  readonly made: readonly MadeMove[];
  /** Bytes of image a second by receiver. */
  readonly paces: ReadonlyMap<string, number>;
  /** By `<from> <to>`. */
  readonly grudges: ReadonlyMap<string, Grudge>;
}

/** What the log goes by. */
export interface MoveLogFacts {
  readonly self: string;
  readonly now: number;
  /** The state of a member, as it was heard last. */
  stateOf(node: string): Pick<State, 'load_ratio' | 'projected_ratio' | 'cpus'> | undefined;
  /** Where an item runs now; `undefined` when it has ended or is on its way. */
  placeOf(item: string): string | undefined;
}

/** An empty log. */
export const NO_MOVES: MoveLog = { underWay: new Map(), made: [], paces: new Map(), grudges: new Map() };

/** Smaller images say nothing about the line: all of their time is start and stop. */
const PACE_BYTES_MIN = 4_000_000;
/** How much a new pace counts against those before it. */
const PACE_WEIGHT = 0.5;

/** Watches one item change. */
export function watchItem(
  log: MoveLog,
  before: OwnedItem | undefined,
  after: OwnedItem | undefined,
  facts: MoveLogFacts,
): MoveLog {
  const id = (after ?? before)?.item.item ?? '';
  const move = log.underWay.get(id);
  if (move === undefined) return after !== undefined && isLeaving(before, after) ? begin(log, after, facts) : log;
  if (after === undefined || isBroken(before, after)) return { ...log, underWay: without(log.underWay, id) };
  if (after.phase === 'acked' && before?.phase !== 'acked') return change(log, id, { ...move, ackedAt: facts.now });
  if (after.image !== null && after.phase === 'queued' && move.homeMs === undefined) {
    const homeMs = facts.now - move.orderedAt;
    return change(log, id, { ...move, homeMs, imageBytes: after.image.bytes });
  }
  if (after.phase !== 'running' || after.receiver === null) return log;
  if (after.receiver !== move.from) return finish(log, after, after.receiver, move, facts);
  // It was refused or given up: it runs where it did.
  return after.order === 'hold' ? { ...log, underWay: without(log.underWay, id) } : log;
}

function isLeaving(before: OwnedItem | undefined, after: OwnedItem): boolean {
  if (after.receiver === null) return false;
  if (isOrderedAway(after)) return !isOrderedAway(before);
  // Its receiver sends it away by itself.
  return after.result?.outcome === 'vacated' && before?.result?.outcome !== 'vacated';
}

function isOrderedAway(state: OwnedItem | undefined): boolean {
  return state?.order === 'checkpoint' || state?.order === 'vacate';
}

/** It ended, or is offered anew because it was lost on its way. */
function isBroken(before: OwnedItem | undefined, after: OwnedItem): boolean {
  if (isSettled(after.phase) || after.phase === 'lost') return true;
  return after.phase === 'queued' && after.image === null && before?.phase !== 'queued' && before?.hops === after.hops;
}

function begin(log: MoveLog, item: OwnedItem, facts: MoveLogFacts): MoveLog {
  const from = item.receiver ?? facts.self;
  const state = facts.stateOf(from);
  return change(log, item.item.item, {
    from,
    // Of a process that was found, and of one that is on its way, the item's own reason tells more than the cause.
    reason: isOrderedAway(item) ? (item.moveReason ?? item.reason) : item.reason,
    orderedAt: facts.now,
    ackedAt: facts.now,
    homeMs: undefined,
    imageBytes: 0,
    ratioFrom: state?.load_ratio ?? 0,
    share: item.item.need.cpus / (state?.cpus ?? 1),
  });
}

function finish(log: MoveLog, item: OwnedItem, to: string, move: MoveUnderWay, facts: MoveLogFacts): MoveLog {
  const id = item.item.item;
  const state = facts.stateOf(to);
  const made: MadeMove = {
    item: id,
    from: move.from,
    to,
    reason: move.reason,
    madeAt: facts.now,
    share: move.share,
    predictedFrom: Math.max(0, move.ratioFrom - move.share),
    predictedTo: state?.projected_ratio ?? 0,
    looks: 0,
  };
  return {
    ...log,
    underWay: without(log.underWay, id),
    made: [...log.made, made],
    paces: paceOf(log.paces, to, move, facts.now),
  };
}

function paceOf(
  paces: MoveLog['paces'],
  to: string,
  { homeMs, imageBytes, ackedAt }: MoveUnderWay,
  now: number,
): MoveLog['paces'] {
  if (homeMs === undefined || imageBytes < PACE_BYTES_MIN) return paces;
  // What it waited for a receiver in between says nothing about the line.
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
