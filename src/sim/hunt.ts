/**
 * Hunts through seeds: lives one world after another and stops at the first that breaks a promise.
 */
import { drawPlan } from './draw-plan.js';
import { live, type Fate } from './live.js';
import type { Plan } from './plan.js';

/** What a hunt found. */
export interface Hunt {
  readonly seeds: number;
  /** The first world that broke a promise. */
  readonly broken: { readonly plan: Plan; readonly fate: Fate } | undefined;
  /** Faults that struck. */
  readonly faults: number;
  readonly items: number;
  readonly executions: number;
  readonly steps: number;
  /** Virtual time lived, ms. */
  readonly livedMs: number;
}

/** The seeds of one hunter: every `stride`-th from `first` on, below `end`. */
export interface Ground {
  readonly first: number;
  readonly end: number;
  readonly stride: number;
}

/** Lives the seeds of a ground, as long as `isWanted` says that they still matter. */
export function huntSeeds(ground: Ground, isWanted: (seed: number) => boolean = () => true): Hunt {
  const totals = { seeds: 0, faults: 0, items: 0, executions: 0, steps: 0, livedMs: 0 };
  for (let seed = ground.first; seed < ground.end && isWanted(seed); seed += ground.stride) {
    const plan = drawPlan(seed);
    const fate = live(plan);
    totals.seeds += 1;
    totals.faults += fate.faults;
    totals.items += fate.items;
    totals.executions += fate.executions;
    totals.steps += fate.steps;
    totals.livedMs += fate.endedAt;
    if (fate.violations.length > 0) return { ...totals, broken: { plan, fate } };
  }
  return { ...totals, broken: undefined };
}
