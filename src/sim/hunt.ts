/**
 * Hunts through seeds: lives one world after another and stops at the first that breaks a promise.
 */
import { live, type Fate } from './live.js';
import { drawPlan, type Plan } from './plan.js';

/** What a hunt found. */
export interface Hunt {
  readonly seeds: number;
  /** The first world that broke a promise. */
  readonly broken: { readonly plan: Plan; readonly fate: Fate } | undefined;
  readonly faults: number;
  readonly items: number;
  readonly executions: number;
  readonly steps: number;
  /** Virtual time lived, ms. */
  readonly livedMs: number;
}

/** Lives the seeds from `first` on; `onSeed` hears of each and may stop the hunt by giving false. */
export function huntSeeds(first: number, count: number, onSeed: (fate: Fate) => boolean = () => true): Hunt {
  const totals = { seeds: 0, faults: 0, items: 0, executions: 0, steps: 0, livedMs: 0 };
  for (let seed = first; seed < first + count; seed += 1) {
    const plan = drawPlan(seed);
    const fate = live(plan);
    totals.seeds += 1;
    totals.faults += fate.faults;
    totals.items += fate.items;
    totals.executions += fate.executions;
    totals.steps += fate.steps;
    totals.livedMs += fate.endedAt;
    if (fate.violations.length > 0) return { ...totals, broken: { plan, fate } };
    if (!onSeed(fate)) break;
  }
  return { ...totals, broken: undefined };
}
