/**
 * Generates plans in which an owner's answers reach its receiver late, and then the receiver's messages reach nobody. A
 * lease that is counted wrongly shows only there, and only while a long job runs away from its owner and another node
 * can take it. Nothing else happens in these plans.
 */
import { STEPPER, type FaultTrigger, type LoadChange, type Plan, type Submission } from './plan.js';
import type { Random } from './random.js';

/** Generates such a plan. */
export function generateLateAnswers(
  random: Random,
  nodes: readonly string[],
): Pick<Plan, 'submissions' | 'loads' | 'drains' | 'faults'> {
  const owner = random.pick(nodes);
  return {
    submissions: [generateLongJob(random, owner)],
    // The owner may run it, but other nodes rank higher.
    loads: nodes.map((node): LoadChange => ({ at: 0, node, ratio: node === owner ? random.pick([0.5, 0.9]) : 0.1 })),
    drains: [],
    faults: [generateTrigger(random)],
  };
}

function generateLongJob(random: Random, node: string): Submission {
  return {
    at: random.between(5000, 12_000),
    node,
    item: 'i0',
    takesMs: 50_000,
    retry: random.chance(0.2) ? 'once' : 'rerun',
    migrate: 'never',
    withInputs: random.chance(0.3),
    place: 'any',
    deferred: false,
    cpus: 1,
    cancelAt: undefined,
    moveAt: undefined,
  };
}

/** Answers take longer than the owner's margin, and less than the rest of a lease. */
function generateTrigger(random: Random): FaultTrigger {
  const cutAt = random.between(1000, 12_000);
  return {
    kind: 'trigger',
    node: '*',
    step: 'receiver:progress',
    nth: random.between(2, 4),
    at: 0,
    strikes: [
      { kind: 'slow-subscriber', node: STEPPER, ms: random.between(5000, 7500), at: 0, until: cutAt + 20_000 },
      { kind: 'cut', from: STEPPER, to: '*', at: cutAt, until: cutAt + random.between(15_000, 25_000) },
    ],
  };
}
