/** Renders simulations: what was simulated without a violation, or how a promise broke. Pure. */
import type { Hunt } from '../../sim/hunt.js';
import type { RunResult } from '../../sim/run-plan.js';
import { describePlannedFault } from '../../sim/faults/faults.js';
import type { Plan } from '../../sim/plan/plan.js';

/** A series of seeds in which every promise held. */
export function renderHunt(hunt: Hunt): string {
  const hours = hunt.livedMs / 3_600_000;
  return [
    `${hunt.seeds} seeds without a violation: ${hunt.items} items, ${hunt.executions} executions, ${hunt.faults} faults`,
    `${hours.toFixed(1)} hours simulated in ${hunt.steps} steps`,
    '',
  ].join('\n');
}

/** A broken seed: the promise, the shrunk plan, and the trace line by line. */
export function renderBroken(plan: Plan, result: RunResult, trace: readonly string[]): string {
  const [violation] = result.violations;
  return [
    `seed ${plan.seed} broke a promise: ${violation?.promise ?? 'none in this replay'}`,
    `  ${violation?.detail ?? ''}`,
    '',
    `nodes ${plan.nodes.join(' ')}, ${plan.slots} slots each; the plan shrunk to what is needed:`,
    ...plan.faults.map((fault) => `  fault ${describePlannedFault(fault)}`),
    ...plan.submissions.map((one) => `  item ${JSON.stringify(one)}`),
    ...plan.drains.map((one) => `  drain ${JSON.stringify(one)}`),
    ...plan.loads.map((one) => `  load ${JSON.stringify(one)}`),
    '',
    ...trace,
    '',
    `replay the whole plan with: tritmesh simulate --seed ${plan.seed} --trace`,
    '',
  ].join('\n');
}
