/**
 * Judges how moves turned out: whether the item is better off there one minute and five minutes later. After a move
 * that made things worse, the pair of nodes backs off, each time for longer.
 */
import type { NodeEvent } from '../../protocol/messages.js';
import type { Step } from '../effects.js';
import { publish } from '../effects.js';
import type { PairBackoff, MadeMove, MoveLog, MoveLogContext } from './move-log.js';

/** When a move is checked, ms after it was made. */
export const CHECKS_MS: readonly number[] = [60_000, 300_000];

/** Back-off of a pair after its first bad move, ms; doubled with each further one in a row. */
const BACKOFF_MS = 1_800_000;
const BACKOFF_MS_MAX = 28_800_000;
/** A load that is higher by no more than this is noise. */
const NOISE_RATIO = 0.05;

/** Checks the moves that are due, and reports how they turned out. */
export function measureMoves(log: MoveLog, context: MoveLogContext): Step<MoveLog> {
  const due = log.made.filter((move) => isDue(move, context.now));
  if (due.length === 0) return { state: log, effects: [] };
  const backoffs = new Map(log.backoffs);
  const events: NodeEvent[] = [];
  for (const move of due) {
    const outcome = judgeOutcome(move, context);
    if (outcome.gain !== undefined) updateBackoff(backoffs, move, outcome.gain, context.now);
    events.push(describeOutcome(move, outcome));
  }
  const made = log.made
    .map((move) => (due.includes(move) ? { ...move, checks: move.checks + 1 } : move))
    .filter(({ checks }) => checks < CHECKS_MS.length);
  const effects = events.map((event) => publish({ kind: 'event', node: context.self }, event));
  return { state: { ...log, made, backoffs }, effects };
}

function isDue({ madeAt, checks }: MadeMove, now: number): boolean {
  return now >= madeAt + (CHECKS_MS[checks] ?? Number.POSITIVE_INFINITY);
}

interface Outcome {
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** How much better off the item is there than it would be here, load per cpu; `undefined` if unknown. */
  readonly gain: number | undefined;
}

function judgeOutcome({ item, from, to, share }: MadeMove, context: MoveLogContext): Outcome {
  const ratioFrom = context.stateOf(from)?.load_ratio;
  const ratioTo = context.stateOf(to)?.load_ratio;
  const isThere = context.placeOf(item) === to;
  const gain = isThere && ratioFrom !== undefined && ratioTo !== undefined ? ratioFrom + share - ratioTo : undefined;
  return { from: ratioFrom, to: ratioTo, gain };
}

function updateBackoff(backoffs: Map<string, PairBackoff>, { from, to }: MadeMove, gain: number, now: number): void {
  const pair = pairKey(from, to);
  const known = backoffs.get(pair);
  if (gain >= -NOISE_RATIO) {
    // A good move ends the row; a running back-off still lasts until its end.
    if (known !== undefined && known.endsAt <= now) backoffs.delete(pair);
    return;
  }
  const count = (known?.count ?? 0) + 1;
  backoffs.set(pair, { count, endsAt: now + Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** (count - 1)) });
}

function describeOutcome(move: MadeMove, { from, to, gain }: Outcome): NodeEvent {
  const round = (ratio: number | undefined): number | null =>
    ratio === undefined ? null : Math.round(ratio * 1000) / 1000;
  return {
    event_type: 'move_outcome',
    item: move.item,
    from: move.from,
    to: move.to,
    after_s: (CHECKS_MS[move.checks] ?? 0) / 1000,
    predicted_from_ratio: round(move.predictedFrom),
    from_ratio: round(from),
    predicted_to_ratio: round(move.predictedTo),
    to_ratio: round(to),
    gain_ratio: round(gain),
    reason: move.reason,
  };
}

/** When the next check is due, monotonic ms; `undefined` if none is. */
export function nextMeasureAt(log: MoveLog): number | undefined {
  const times = log.made.map(({ madeAt, checks }) => madeAt + (CHECKS_MS[checks] ?? 0));
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The nodes to which `from` moves nothing without being asked, because of a back-off. */
export function excludedNodes(log: MoveLog, from: string, now: number): string[] {
  const prefix = pairKey(from, '');
  return [...log.backoffs]
    .filter(([pair, { endsAt }]) => pair.startsWith(prefix) && endsAt > now)
    .map(([pair]) => pair.slice(prefix.length));
}

function pairKey(from: string, to: string): string {
  return `${from} ${to}`;
}
