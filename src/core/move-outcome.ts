/**
 * What became of moves: whether the item was better off there, a minute and five minutes later. A pair of nodes whose move made
 * things worse is left alone, each time for longer. Pure.
 */
import type { NodeEvent } from '../protocol/messages.js';
import type { Step } from './effects.js';
import { say } from './effects.js';
import type { Grudge, MadeMove, MoveLog, MoveLogFacts } from './move-log.js';

/** When a move is looked at again, ms after it was made. */
export const LOOKS_MS: readonly number[] = [60_000, 300_000];

/** How long a pair is left alone after its first bad move, ms; doubled with each more in a row. */
const GRUDGE_MS = 1_800_000;
const GRUDGE_MS_MAX = 28_800_000;
/** A load that wavers by so much is no worse. */
const NOISE_RATIO = 0.05;

/** Looks again at the moves that are due, and says what became of them. */
export function lookAtMoves(log: MoveLog, facts: MoveLogFacts): Step<MoveLog> {
  const due = log.made.filter((move) => isDue(move, facts.now));
  if (due.length === 0) return { state: log, effects: [] };
  const grudges = new Map(log.grudges);
  const events: NodeEvent[] = [];
  for (const move of due) {
    const outcome = judgeOutcome(move, facts);
    if (outcome.gain !== undefined) weighPair(grudges, move, outcome.gain, facts.now);
    events.push(describeOutcome(move, outcome));
  }
  const made = log.made
    .map((move) => (due.includes(move) ? { ...move, looks: move.looks + 1 } : move))
    .filter(({ looks }) => looks < LOOKS_MS.length);
  const effects = events.map((event) => say({ kind: 'event', node: facts.self }, event));
  return { state: { ...log, made, grudges }, effects };
}

function isDue({ madeAt, looks }: MadeMove, now: number): boolean {
  return now >= madeAt + (LOOKS_MS[looks] ?? Number.POSITIVE_INFINITY);
}

interface Outcome {
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** How much better off the item is there than it would be back here; `undefined` when that cannot be told. */
  readonly gain: number | undefined;
}

function judgeOutcome({ item, from, to, share }: MadeMove, facts: MoveLogFacts): Outcome {
  const ratioFrom = facts.stateOf(from)?.load_ratio;
  const ratioTo = facts.stateOf(to)?.load_ratio;
  const isThere = facts.placeOf(item) === to;
  const gain = isThere && ratioFrom !== undefined && ratioTo !== undefined ? ratioFrom + share - ratioTo : undefined;
  return { from: ratioFrom, to: ratioTo, gain };
}

function weighPair(grudges: Map<string, Grudge>, { from, to }: MadeMove, gain: number, now: number): void {
  const pair = pairKey(from, to);
  const known = grudges.get(pair);
  if (gain >= -NOISE_RATIO) {
    // A good move ends the row; what an earlier one earned runs out by itself.
    if (known !== undefined && known.endsAt <= now) grudges.delete(pair);
    return;
  }
  const count = (known?.count ?? 0) + 1;
  grudges.set(pair, { count, endsAt: now + Math.min(GRUDGE_MS_MAX, GRUDGE_MS * 2 ** (count - 1)) });
}

function describeOutcome(move: MadeMove, { from, to, gain }: Outcome): NodeEvent {
  const round = (ratio: number | undefined): number | null =>
    ratio === undefined ? null : Math.round(ratio * 1000) / 1000;
  return {
    event_type: 'move_outcome',
    item: move.item,
    from: move.from,
    to: move.to,
    after_s: (LOOKS_MS[move.looks] ?? 0) / 1000,
    predicted_from_ratio: round(move.predictedFrom),
    from_ratio: round(from),
    predicted_to_ratio: round(move.predictedTo),
    to_ratio: round(to),
    gain_ratio: round(gain),
    reason: move.reason,
  };
}

/** When the next move is to be looked at, monotonic ms; `undefined` when none is. */
export function nextLook(log: MoveLog): number | undefined {
  const times = log.made.map(({ madeAt, looks }) => madeAt + (LOOKS_MS[looks] ?? 0));
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The nodes to which this one sends nothing by itself for now. */
export function leftAlone(log: MoveLog, from: string, now: number): string[] {
  const prefix = pairKey(from, '');
  return [...log.grudges]
    .filter(([pair, { endsAt }]) => pair.startsWith(prefix) && endsAt > now)
    .map(([pair]) => pair.slice(prefix.length));
}

function pairKey(from: string, to: string): string {
  return `${from} ${to}`;
}
