/**
 * The trit: how a node classifies itself by its load ratio. It must not flap: it leaves PLUS and MINUS at other ratios
 * than it enters them, and a change must hold for a while. Every ratio yields a trit, NaN too.
 */
import type { Trit } from '../../protocol/messages.js';

/** When a node changes its trit. Ratios are load per cpu, times are ms. */
export interface TritRules {
  /** Above this ratio a node becomes PLUS; the seed's number. */
  readonly plusAbove: number;
  /** A PLUS node stays PLUS until its ratio is below this. */
  readonly plusLeaveBelow: number;
  /** Below this ratio a node becomes MINUS; the seed's number. */
  readonly minusBelow: number;
  /** A MINUS node stays MINUS until its ratio is above this. */
  readonly minusLeaveAbove: number;
  /** How long a change must hold, by the trit that it leads to. */
  readonly plusHoldMs: number;
  readonly minusHoldMs: number;
  readonly ergodicHoldMs: number;
  /** If false, each sample is classified on its own, at the two entry ratios. */
  readonly hysteresis: boolean;
}

/** At a mean load of 0.80 the entry ratios alone flip about 20 times an hour, these bands about 5. */
export const DEFAULT_TRIT_RULES: TritRules = {
  plusAbove: 0.8,
  plusLeaveBelow: 0.65,
  minusBelow: 0.3,
  minusLeaveAbove: 0.45,
  plusHoldMs: 5_000,
  minusHoldMs: 10_000,
  ergodicHoldMs: 5_000,
  hysteresis: true,
};

/** The trit, and a pending change if there is one. Times are those of the clock that `now` is read from. */
export interface TritState {
  readonly trit: Trit;
  /** The trit that the last sample asked for, and since when all samples have asked for exactly that one. */
  readonly candidate?: Trit | undefined;
  readonly candidateSince?: number | undefined;
  /** Since when samples have asked for some trit on this side of the present one. */
  readonly awaySince?: number | undefined;
}

/**
 * The seed's classification, strict on both sides: above 0.8 PLUS, below 0.3 MINUS, else ERGODIC. A negative ratio
 * counts as no load; NaN is ERGODIC, which neither sheds nor accepts.
 */
export function classifyRatio(ratio: number, rules: TritRules = DEFAULT_TRIT_RULES): Trit {
  if (ratio > rules.plusAbove) return 1;
  return ratio < rules.minusBelow ? -1 : 0;
}

/**
 * The next state after a sample of `ratio` at `now` (milliseconds, never going back). The first sample classifies at
 * once. NaN is not a sample and changes nothing.
 */
export function stepTrit(
  state: TritState | undefined,
  ratio: number,
  now: number,
  rules: TritRules = DEFAULT_TRIT_RULES,
): TritState {
  if (state === undefined) return { trit: classifyRatio(ratio, rules) };
  if (Number.isNaN(ratio)) return state;
  if (!rules.hysteresis) return { trit: classifyRatio(ratio, rules) };
  const target = aimTrit(state.trit, ratio, rules);
  if (target === state.trit) return { trit: state.trit };
  return applyChange(awaitChange(state, target, now), target, now, rules);
}

/** What is wrong with the order of the four ratios or with the hold times; `undefined` if nothing is. */
export function findRulesFault(rules: TritRules): string | undefined {
  const ratios = [0, rules.minusBelow, rules.minusLeaveAbove, rules.plusLeaveBelow, rules.plusAbove];
  const rising = ratios.every((ratio, index) => Number.isFinite(ratio) && ratio >= (ratios[index - 1] ?? 0));
  if (!rising) return 'must rise: 0 <= minusBelow <= minusLeaveAbove <= plusLeaveBelow <= plusAbove';
  const holds = [rules.plusHoldMs, rules.minusHoldMs, rules.ergodicHoldMs];
  return holds.every((hold) => hold >= 0 && Number.isFinite(hold)) ? undefined : 'must have holds of 0 ms or more';
}

/** The trit that the ratio asks for, given the present one. */
function aimTrit(trit: Trit, ratio: number, rules: TritRules): Trit {
  if (trit === 1 && ratio >= rules.plusLeaveBelow) return 1;
  if (trit === -1 && ratio <= rules.minusLeaveAbove) return -1;
  return classifyRatio(ratio, rules);
}

type Pending = TritState & { readonly candidateSince: number; readonly awaySince: number };

/** Records the change to `target`; a change that was already pending keeps its start time. */
function awaitChange(state: TritState, target: Trit, now: number): Pending {
  const { trit, candidate, candidateSince = now, awaySince = now } = state;
  if (candidate === undefined || Math.sign(candidate - trit) !== Math.sign(target - trit)) {
    return { trit, candidate: target, candidateSince: now, awaySince: now };
  }
  return { trit, candidate: target, candidateSince: candidate === target ? candidateSince : now, awaySince };
}

/**
 * Changes to the candidate once it has held long enough. If the load swings between ERGODIC and the far side, neither
 * holds, but it is off the present trit all the time: the trit becomes ERGODIC then.
 */
function applyChange(pending: Pending, target: Trit, now: number, rules: TritRules): TritState {
  if (now - pending.candidateSince >= holdOf(target, rules)) return { trit: target };
  const awayHold = Math.max(holdOf(target, rules), rules.ergodicHoldMs);
  if (pending.trit === 0 || now - pending.awaySince < awayHold) return pending;
  return target === 0 ? { trit: 0 } : { ...pending, trit: 0, awaySince: pending.candidateSince };
}

function holdOf(trit: Trit, rules: TritRules): number {
  if (trit === 0) return rules.ergodicHoldMs;
  return trit === 1 ? rules.plusHoldMs : rules.minusHoldMs;
}
