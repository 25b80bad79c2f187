/**
 * Searches a range of seeds: simulates one world after another and stops at the first one that breaks a promise.
 */
import { generatePlan } from './plan/generate-plan.js';
import { runPlan, type RunResult } from './run-plan.js';
import type { Plan } from './plan/plan.js';

/** What a search found, and how much was simulated for it. */
export interface Hunt {
  readonly seeds: number;
  /** The first plan that broke a promise, and how its run ended. */
  readonly broken: { readonly plan: Plan; readonly result: RunResult } | undefined;
  /** Faults injected. */
  readonly faults: number;
  readonly items: number;
  readonly executions: number;
  readonly steps: number;
  /** Virtual time simulated, ms. */
  readonly livedMs: number;
}

/** The seeds that one worker simulates: every `stride`-th seed from `first` on, below `end`. */
export interface SeedRange {
  readonly first: number;
  readonly end: number;
  readonly stride: number;
}

/** Simulates the seeds of a range in order. It stops early at the first seed for which `isWanted` returns false. */
export function huntSeeds(range: SeedRange, isWanted: (seed: number) => boolean = () => true): Hunt {
  const totals = { seeds: 0, faults: 0, items: 0, executions: 0, steps: 0, livedMs: 0 };
  for (let seed = range.first; seed < range.end && isWanted(seed); seed += range.stride) {
    const plan = generatePlan(seed);
    const result = runPlan(plan);
    totals.seeds += 1;
    totals.faults += result.faults;
    totals.items += result.items;
    totals.executions += result.executions;
    totals.steps += result.steps;
    totals.livedMs += result.endedAt;
    if (result.violations.length > 0) return { ...totals, broken: { plan, result } };
  }
  return { ...totals, broken: undefined };
}
