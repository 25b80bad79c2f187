/**
 * Several runs of one policy, each from a seed of its own, as one set of figures: their mean and how far they lie apart. Pure.
 */
import type { PolicyFigures } from './report.js';

/** A figure over several runs; `null` where no run had it. */
export type FigureSpread = { readonly mean: number; readonly sd: number } | null;

/** All figures over several runs. */
export type PolicySpread = { readonly [Key in keyof PolicyFigures]: FigureSpread };

/** Means and standard deviations (of the sample) of the figures of several runs, at least one. */
export function spreadFigures(first: PolicyFigures, others: readonly PolicyFigures[]): PolicySpread {
  const runs = [first, ...others];
  const keys = Object.keys(first) as (keyof PolicyFigures)[];
  const spreads = keys.map((key) => [key, spread(runs.map((run) => run[key]).filter((one) => one !== null))] as const);
  return Object.fromEntries(spreads) as PolicySpread;
}

function spread(numbers: readonly number[]): FigureSpread {
  const count = numbers.length;
  if (count === 0) return null;
  const mean = numbers.reduce((sum, one) => sum + one, 0) / count;
  const squares = numbers.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return { mean, sd: count === 1 ? 0 : Math.sqrt(squares / (count - 1)) };
}
