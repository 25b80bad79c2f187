/**
 * Generates plans in which the broker is down for a long time while users go on submitting work to nodes that could run
 * it themselves. Sometimes it goes down between a claim and its ack, while one member is too slow to claim: the owner
 * has claims of others then, and waits for a better one.
 */
import type { FaultTrigger, LoadChange, Plan, Submission, TimedFault } from './plan.js';
import type { Random } from './random.js';

type PlanPart = Pick<Plan, 'submissions' | 'loads' | 'drains' | 'faults'>;

/** Generates such a plan. */
export function generateLocalWork(random: Random, nodes: readonly string[], slots: number): PlanPart {
  const at = random.between(8000, 14_000);
  const until = at + random.between(15_000, 35_000);
  const forgets = random.chance(0.5);
  const submissions = generateSubmissions(random, nodes, slots, at, until);
  const loads = nodes.map((node): LoadChange => ({ at: 0, node, ratio: random.pick([0.1, 0.1, 0.5, 0.5, 0.9]) }));
  const crash = generateCrash(random, nodes, at, until);
  const [owner, late] = nodes;
  if (nodes.length < 3 || owner === undefined || late === undefined || random.chance(0.5)) {
    return { submissions, loads, drains: [], faults: [{ kind: 'broker-down', forgets, at, until }, ...crash] };
  }
  // The owner is overloaded, so others claim. The stalled node may be the one that would be acked at once.
  const contested = {
    ...submissions[0],
    at: random.between(at - 1500, at + 2000),
    node: owner,
    place: 'any',
  } as Submission;
  return {
    submissions: [{ ...contested, deferred: false, cpus: 1 }, ...submissions.slice(1)],
    loads: loads.map((load): LoadChange => ({ ...load, ratio: load.node === owner ? 0.9 : 0.1 })),
    drains: [],
    faults: [
      { kind: 'stall', node: late, at: at - 2500, until: at + 4000 },
      generateTrigger(random, forgets, until - at),
      ...crash,
    ],
  };
}

function generateSubmissions(
  random: Random,
  nodes: readonly string[],
  slots: number,
  at: number,
  until: number,
): Submission[] {
  const count = random.between(2, 6);
  return Array.from({ length: count }, (_, index): Submission => ({
    at: random.between(at - 2000, until - 10_000),
    node: random.pick(nodes),
    item: `i${index}`,
    takesMs: random.between(5, 3000),
    retry: random.chance(0.4) ? 'once' : 'rerun',
    migrate: 'never',
    withInputs: random.chance(0.4),
    place: random.pick(['any', 'any', 'here', 'away']),
    deferred: random.chance(0.1),
    cpus: random.chance(0.85) ? 1 : Math.min(2, slots),
    cancelAt: undefined,
    moveAt: undefined,
  }));
}

function generateTrigger(random: Random, forgets: boolean, lastsMs: number): FaultTrigger {
  const delay = random.between(2, 80);
  return {
    kind: 'trigger',
    node: '*',
    step: random.pick(['receiver:said-claim', 'receiver:said-claim', 'owner:said-offer', 'owner:said-ack']),
    nth: random.between(1, 2),
    at: 0,
    strikes: [{ kind: 'broker-down', forgets, at: delay, until: delay + lastsMs }],
  };
}

/** A node that restarts while the broker is down has never been connected in its present boot. */
function generateCrash(random: Random, nodes: readonly string[], at: number, until: number): TimedFault[] {
  if (!random.chance(0.3)) return [];
  const crashAt = random.between(at, until - 5000);
  return [{ kind: 'crash', node: random.pick(nodes), at: crashAt, until: crashAt + random.between(200, 2000) }];
}
