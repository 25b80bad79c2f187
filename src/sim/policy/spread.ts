/**
 * Mean and standard deviation of the figures of several runs of one policy with different seeds. Pure.
 */
import type { PolicyFigures } from './report.js';

/** A figure over several runs; `null` if no run had it. */
export type FigureSpread = { readonly mean: number; readonly sd: number } | null;

/** All figures over several runs. */
export type PolicySpread = { readonly [Key in keyof PolicyFigures]: FigureSpread };

/** Means and sample standard deviations of the figures of one or more runs. */
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
