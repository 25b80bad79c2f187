/**
 * Draws plans about peers that cannot be called: a node takes no connection, from one other or from all, for a while or for good, while the
 * broker carries everybody's messages. Nothing else goes wrong: nothing excuses a second start of an item.
 */
import type { Fault, Plan, Submission } from './plan.js';
import type { Random } from './random.js';

/** Draws what is particular to such a plan. */
export function drawOneWay(
  random: Random,
  nodes: readonly string[],
  safetyMs: number,
): Pick<Plan, 'submissions' | 'loads' | 'drains' | 'faults' | 'startsOnce'> {
  // Whom a person cancels ends otherwise than by itself.
  const cancels = random.chance(0.4);
  return {
    submissions: drawWork(random, nodes, cancels),
    loads: nodes.map((node) => ({ at: 0, node, ratio: random.pick([0.05, 0.1, 0.5]) })),
    drains: [],
    faults: random.chance(0.5) ? [drawFirewall(random, nodes)] : drawClosings(random, nodes, safetyMs),
    ...(cancels ? {} : { startsOnce: true }),
  };
}

function drawWork(random: Random, nodes: readonly string[], cancels: boolean): Submission[] {
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
      // Most come when the job has just ended, and its outputs are looked for.
      cancelAt: cancels && random.chance(0.9) ? at + takesMs + random.between(0, 12_000) : undefined,
      moveAt: undefined,
    };
  });
}

/** One node is behind a firewall for good: it calls, and nobody calls it. Two of them would never find a way. */
function drawFirewall(random: Random, nodes: readonly string[]): Fault {
  return { kind: 'closed', from: '*', to: random.pick(nodes), at: 0, until: Number.MAX_SAFE_INTEGER };
}

/** Doors close and open, also both of a pair at once; or nobody can call anybody, from before the jobs end. */
function drawClosings(random: Random, nodes: readonly string[], safetyMs: number): Fault[] {
  const isAll = random.chance(0.6);
  return Array.from({ length: isAll ? 1 : random.between(1, 6) }, (): Fault => {
    const at = isAll ? random.between(1000, 10_000) : random.between(0, safetyMs / 2);
    const until = Math.min(safetyMs, at + 1000 + Math.round(random.exponential(isAll ? 40_000 : 20_000)));
    const from = isAll || random.chance(0.5) ? '*' : random.pick(nodes);
    return { kind: 'closed', from, to: isAll ? '*' : random.pick(nodes), at, until };
  });
}
