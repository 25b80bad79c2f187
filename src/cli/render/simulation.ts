/** Simulations as text: what was lived and held, or the story of a promise that broke. Pure. */
import type { Hunt } from '../../sim/hunt.js';
import type { Fate } from '../../sim/live.js';
import { describeFault } from '../../sim/faults.js';
import type { Plan } from '../../sim/plan.js';

/** A hunt in which everything held. */
export function renderHunt(hunt: Hunt): string {
  const hours = hunt.livedMs / 3_600_000;
  return [
    `${hunt.seeds} seeds held: ${hunt.items} items, ${hunt.executions} executions, ${hunt.faults} faults`,
    `${hours.toFixed(1)} hours lived in ${hunt.steps} steps`,
    '',
  ].join('\n');
}

/** A broken seed: the promise, the shortened plan, and what happened line by line. */
export function renderBroken(plan: Plan, fate: Fate, trace: readonly string[]): string {
  const [violation] = fate.violations;
  return [
    `seed ${plan.seed} broke a promise: ${violation?.promise ?? 'none any more'}`,
    `  ${violation?.detail ?? ''}`,
    '',
    `nodes ${plan.nodes.join(' ')}, ${plan.slots} slots each; what is needed for it:`,
    ...plan.faults.map((fault) => `  fault ${describeFault(fault)}`),
    ...plan.submissions.map((one) => `  item ${JSON.stringify(one)}`),
    ...plan.drains.map((one) => `  drain ${JSON.stringify(one)}`),
    ...plan.loads.map((one) => `  load ${JSON.stringify(one)}`),
    '',
    ...trace,
    '',
    `replay the whole of it with: tritmesh simulate --seed ${plan.seed} --trace`,
    '',
  ].join('\n');
}
