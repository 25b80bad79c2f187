/**
 * Draws faults of who a node is, and which: its machine gets another name, is put back to a snapshot, or stands still.
 */
import type { LoadChange, Plan, Submission, TimedFault } from './plan.js';
import type { Random } from './random.js';

/** Of plans, how many have a machine that is renamed. */
const RENAMED = 0.15;

/** Draws them; nothing lasts beyond `endMs`. */
export function drawIdentityFaults(random: Random, nodes: readonly string[], endMs: number): TimedFault[] {
  return random.chance(RENAMED)
    ? [{ kind: 'host-renamed', node: random.pick(nodes), ...drawTimes(random, endMs) }]
    : [];
}

function drawTimes(random: Random, endMs: number): { readonly at: number; readonly until: number } {
  const at = random.between(1000, endMs - 15_000);
  return { at, until: at + random.between(50, 4000) };
}

/**
 * Draws what is particular to a plan in which machines are put back to a snapshot, or stopped by their hypervisor. The broker is there
 * and keeps what it is told: without it nothing could tell a node that its journal is an older one.
 */
export function drawVirtualMachines(
  random: Random,
  nodes: readonly string[],
): Pick<Plan, 'submissions' | 'loads' | 'drains' | 'faults'> {
  const faults = Array.from({ length: random.between(1, 3) }, () => drawTurn(random, nodes));
  return {
    submissions: Array.from({ length: random.between(2, 8) }, (_, index) => drawJob(random, nodes, `i${index}`)),
    loads: nodes.map((node): LoadChange => ({ at: 0, node, ratio: random.pick([0.1, 0.1, 0.5, 0.9]) })),
    drains: [],
    faults: faults.toSorted((a, b) => a.at - b.at),
  };
}

/** Longest time that a snapshot lies, or a machine stands still, ms. */
const TURN_MS = 25_000;
const SAID_MS = 6000;
const FIRST_MS = 4000;
const LAST_MS = 30_000;

function drawTurn(random: Random, nodes: readonly string[]): TimedFault {
  const at = random.between(FIRST_MS, LAST_MS);
  const node = random.pick(nodes);
  const kind = random.chance(0.6) ? 'set-back' : 'pause';
  // The node must have said something since the snapshot: else there is nothing to tell that it is an older one.
  return { kind, node, at, until: at + random.between(SAID_MS, TURN_MS) };
}

function drawJob(random: Random, nodes: readonly string[], item: string): Submission {
  return {
    at: random.between(2000, LAST_MS + 5000),
    node: random.pick(nodes),
    item,
    takesMs: random.chance(0.3) ? random.between(5, 800) : random.between(3000, 40_000),
    retry: random.chance(0.5) ? 'once' : 'rerun',
    migrate: 'never',
    withInputs: random.chance(0.3),
    place: random.pick(['any', 'any', 'away', 'here']),
    deferred: false,
    cpus: 1,
    cancelAt: undefined,
    moveAt: undefined,
  };
}
