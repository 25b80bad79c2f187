/**
 * Generates clock faults: boot clocks that jump or fail, wall clocks that are set. Some plans have them among other
 * faults. In a few nothing else happens, and there no item may start a second time.
 */
import type { LoadChange, Plan, Submission, TimedFault } from './plan.js';
import type { Random } from './random.js';
import type { BootFailure } from '../parts/sim-clocks.js';

/** Share of plans with other faults that also have clock faults. */
const LYING = 0.3;

/** Generates clock faults that strike among other faults. */
export function generateLies(random: Random, nodes: readonly string[], endMs: number): TimedFault[] {
  return random.chance(LYING) ? generateMany(random, nodes, endMs, random.between(1, 4)) : [];
}

/** Generates a plan with clock faults and no others. */
export function generateLyingOnly(
  random: Random,
  nodes: readonly string[],
  endMs: number,
): Pick<Plan, 'submissions' | 'loads' | 'drains' | 'faults' | 'startsOnce'> {
  const owner = random.pick(nodes);
  const count = random.between(1, 4);
  return {
    submissions: Array.from({ length: count }, (_, index) => generateJob(random, owner, index)),
    loads: nodes.map((node): LoadChange => ({ at: 0, node, ratio: node === owner ? random.pick([0.1, 0.9]) : 0.1 })),
    drains: [],
    faults: generateMany(random, nodes, endMs, random.between(2, 8)),
    startsOnce: true,
  };
}

function generateMany(random: Random, nodes: readonly string[], endMs: number, count: number): TimedFault[] {
  return Array.from({ length: count }, () => generateLie(random, random.pick(nodes), endMs)).toSorted(
    (a, b) => a.at - b.at,
  );
}

const FAILURES: readonly BootFailure[] = ['unreadable', 'garbage', 'frozen'];

function generateLie(random: Random, node: string, endMs: number): TimedFault {
  const at = random.between(3000, endMs - 5000);
  const kind = random.next();
  if (kind < 0.35) return { kind: 'boot-jump', node, at, byMs: generateJump(random) };
  if (kind < 0.65) return { kind: 'clock-jump', node, at, byMs: generateJump(random) };
  const until = Math.min(endMs, at + random.between(100, 25_000));
  return { kind: 'boot-fails', node, how: random.pick(FAILURES), at, until };
}

/** By a little, by about a lease, or by days; mostly forward. */
function generateJump(random: Random): number {
  const byMs = random.pick([random.between(500, 5000), random.between(5000, 60_000), 864_000_000]);
  return random.chance(0.8) ? byMs : -byMs;
}

/** Most jobs run for longer than a lease. */
function generateJob(random: Random, node: string, index: number): Submission {
  return {
    at: random.between(2000, 20_000),
    node,
    item: `i${index}`,
    takesMs: random.between(1000, 40_000),
    retry: random.chance(0.5) ? 'once' : 'rerun',
    migrate: 'never',
    withInputs: random.chance(0.3),
    place: 'any',
    deferred: false,
    cpus: 1,
    cancelAt: undefined,
    moveAt: undefined,
  };
}
