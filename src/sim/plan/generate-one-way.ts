/**
 * Generates plans with peers that cannot be called: a node accepts no connections, from one other node or from all, for
 * a while or for good, while the broker stays up. Nothing else goes wrong, so nothing excuses a second start of an
 * item.
 */
import type { PlannedFault, Plan, Submission } from './plan.js';
import type { Random } from './random.js';

/** Generates such a plan. */
export function generateOneWay(
  random: Random,
  nodes: readonly string[],
  safetyMs: number,
): Pick<Plan, 'submissions' | 'loads' | 'drains' | 'faults' | 'startsOnce'> {
  // A cancelled item does not run to its own end.
  const cancels = random.chance(0.4);
  return {
    submissions: generateWork(random, nodes, cancels),
    loads: nodes.map((node) => ({ at: 0, node, ratio: random.pick([0.05, 0.1, 0.5]) })),
    drains: [],
    faults: random.chance(0.5) ? [generateFirewall(random, nodes)] : generateClosings(random, nodes, safetyMs),
    ...(cancels ? {} : { startsOnce: true }),
  };
}

function generateWork(random: Random, nodes: readonly string[], cancels: boolean): Submission[] {
  return Array.from({ length: random.between(1, 6) }, (_, index) => {
    const at = random.between(1000, 25_000);
    const takesMs = random.between(50, 3000);
    return {
      at,
      node: random.pick(nodes),
      item: `i${index}`,
      takesMs,
      retry: random.chance(0.3) ? 'once' : 'rerun',
      migrate: 'never',
      withInputs: random.chance(0.5),
      place: random.chance(0.85) ? 'away' : 'any',
      deferred: false,
      cpus: 1,
      // Most cancels come when the job has just ended and its outputs are being fetched.
      cancelAt: cancels && random.chance(0.9) ? at + takesMs + random.between(0, 12_000) : undefined,
      moveAt: undefined,
    };
  });
}

/**
 * One node is behind a firewall for good: it can call, but not be called. Two such nodes could never reach each other.
 */
function generateFirewall(random: Random, nodes: readonly string[]): PlannedFault {
  return { kind: 'closed', from: '*', to: random.pick(nodes), at: 0, until: Number.MAX_SAFE_INTEGER };
}

/** Nodes refuse connections for a while, sometimes both of a pair; or all nodes do, from before the jobs end. */
function generateClosings(random: Random, nodes: readonly string[], safetyMs: number): PlannedFault[] {
  const isAll = random.chance(0.6);
  return Array.from({ length: isAll ? 1 : random.between(1, 6) }, (): PlannedFault => {
    const at = isAll ? random.between(1000, 10_000) : random.between(0, safetyMs / 2);
    const until = Math.min(safetyMs, at + 1000 + Math.round(random.exponential(isAll ? 40_000 : 20_000)));
    const from = isAll || random.chance(0.5) ? '*' : random.pick(nodes);
    return { kind: 'closed', from, to: isAll ? '*' : random.pick(nodes), at, until };
  });
}
