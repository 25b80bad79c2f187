/** Ratios of what was measured in turns with its baseline. Pure. */
import { quantile } from './figure.js';

/** The middle value of a sample; NaN for an empty one. */
export function median(sample: readonly number[]): number {
  return quantile(sample, 0.5);
}

/**
 * The median of the ratios of each turn to the baseline of the same turn: a load that comes and goes falls on both.
 * Throws RangeError if the numbers of turns differ.
 */
export function medianRatio(turns: readonly number[], floors: readonly number[]): number {
  if (turns.length !== floors.length) throw new RangeError(`${turns.length} turns, but ${floors.length} baselines`);
  return median(turns.map((value, index) => value / (floors[index] ?? Number.NaN)));
}
