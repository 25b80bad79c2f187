/**
 * Generates plans with little free disk space: items with inputs of some size, and machines on which other programs
 * leave space for one of them or for none, for a while. The system may report that space, or only a hidden quota
 * enforces it.
 */
import { SIM_RESERVE } from '../settings.js';
import type { PlannedFault, Plan, Submission } from './plan.js';
import type { Random } from './random.js';

/** Adds input sizes and full disks to a plan. */
export function generateDisks(random: Random, plan: Plan): Plan {
  return random.chance(0.4) ? generateBurst(random, plan) : generateShort(random, plan);
}

/** All items are submitted at once, and each disk has space for one or two of them: promised space must be counted. */
function generateBurst(random: Random, plan: Plan): Plan {
  const at = random.between(10_000, 20_000);
  const submissions = plan.submissions.map((work): Submission => {
    const { cancelAt: _cancel, moveAt: _move, ...rest } = work;
    const change = {
      at: at + random.between(0, 150),
      withInputs: true,
      bytes: random.between(200, 300),
      deferred: false,
    };
    return { ...rest, ...change, cancelAt: undefined, moveAt: undefined };
  });
  const faults = plan.nodes.map((node): PlannedFault => {
    const leaves = SIM_RESERVE + random.between(310, 500);
    return { kind: 'disk-short', node, leaves, told: true, at: random.between(500, 3000), until: plan.safetyMs };
  });
  return { ...plan, submissions, faults: [...plan.faults, ...faults] };
}

function generateShort(random: Random, plan: Plan): Plan {
  const submissions = plan.submissions.map((work): Submission => {
    if (!random.chance(0.7)) return work;
    return { ...work, withInputs: true, bytes: random.between(100, 300) };
  });
  const faults = Array.from({ length: random.between(1, 4) }, (): PlannedFault => {
    const at = random.between(0, plan.safetyMs / 2);
    const until = Math.min(plan.safetyMs, at + 2000 + Math.round(random.exponential(15_000)));
    // Less than the reserve, or space for one item, rarely for two.
    const leaves = random.chance(0.25) ? random.between(0, SIM_RESERVE) : SIM_RESERVE + random.between(20, 450);
    return { kind: 'disk-short', node: random.pick(plan.nodes), leaves, told: random.chance(0.8), at, until };
  });
  return { ...plan, submissions, faults: [...plan.faults, ...faults] };
}
