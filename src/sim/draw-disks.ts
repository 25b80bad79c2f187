/**
 * Draws plans about disks with little room: items of some size, and machines on which strangers leave room for one of them or for
 * none, for a while. What they leave may be told by the system or by a quota alone.
 */
import { SIM_RESERVE } from './settings.js';
import type { Fault, Plan, Submission } from './plan.js';
import type { Random } from './random.js';

/** The same plan with sizes and short disks. */
export function drawDisks(random: Random, plan: Plan): Plan {
  return random.chance(0.4) ? drawBurst(random, plan) : drawShort(random, plan);
}

/** All is submitted at once, where each disk has room for one or two of them: what was promised must be counted. */
function drawBurst(random: Random, plan: Plan): Plan {
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
  const faults = plan.nodes.map((node): Fault => {
    const leaves = SIM_RESERVE + random.between(310, 500);
    return { kind: 'disk-short', node, leaves, told: true, at: random.between(500, 3000), until: plan.safetyMs };
  });
  return { ...plan, submissions, faults: [...plan.faults, ...faults] };
}

function drawShort(random: Random, plan: Plan): Plan {
  const submissions = plan.submissions.map((work): Submission => {
    if (!random.chance(0.7)) return work;
    return { ...work, withInputs: true, bytes: random.between(100, 300) };
  });
  const faults = Array.from({ length: random.between(1, 4) }, (): Fault => {
    const at = random.between(0, plan.safetyMs / 2);
    const until = Math.min(plan.safetyMs, at + 2000 + Math.round(random.exponential(15_000)));
    // Below the reserve, or room for one item and seldom for two.
    const leaves = random.chance(0.25) ? random.between(0, SIM_RESERVE) : SIM_RESERVE + random.between(20, 450);
    return { kind: 'disk-short', node: random.pick(plan.nodes), leaves, told: random.chance(0.8), at, until };
  });
  return { ...plan, submissions, faults: [...plan.faults, ...faults] };
}
