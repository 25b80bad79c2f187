/**
 * Generates faults that concern a node's identity: its machine is renamed, rolled back to a snapshot, or paused.
 */
import type { LoadChange, Plan, Submission, TimedFault } from './plan.js';
import type { Random } from './random.js';

/** Share of plans in which a machine is renamed. */
const RENAMED = 0.15;

/** Generates renames of machines. None lasts beyond `endMs`. */
export function generateIdentityFaults(random: Random, nodes: readonly string[], endMs: number): TimedFault[] {
  return random.chance(RENAMED)
    ? [{ kind: 'host-renamed', node: random.pick(nodes), ...generateTimes(random, endMs) }]
    : [];
}

function generateTimes(random: Random, endMs: number): { readonly at: number; readonly until: number } {
  const at = random.between(1000, endMs - 15_000);
  return { at, until: at + random.between(50, 4000) };
}

/**
 * Generates a plan in which machines are rolled back to a snapshot or paused by their hypervisor. The broker stays up
 * and keeps its retained messages: without them a node could not tell that its journal is old.
 */
export function generateVirtualMachines(
  random: Random,
  nodes: readonly string[],
): Pick<Plan, 'submissions' | 'loads' | 'drains' | 'faults'> {
  const faults = Array.from({ length: random.between(1, 3) }, () => generateVmFault(random, nodes));
  return {
    submissions: Array.from({ length: random.between(2, 8) }, (_, index) => generateJob(random, nodes, `i${index}`)),
    loads: nodes.map((node): LoadChange => ({ at: 0, node, ratio: random.pick([0.1, 0.1, 0.5, 0.9]) })),
    drains: [],
    faults: faults.toSorted((a, b) => a.at - b.at),
  };
}

/** Longest time between a snapshot and its rollback, or of a pause, ms. */
const VM_FAULT_MS_MAX = 25_000;
const VM_FAULT_MS_MIN = 6000;
const FIRST_MS = 4000;
const LAST_MS = 30_000;

function generateVmFault(random: Random, nodes: readonly string[]): TimedFault {
  const at = random.between(FIRST_MS, LAST_MS);
  const node = random.pick(nodes);
  const kind = random.chance(0.6) ? 'rollback' : 'pause';
  // The node must have published something since the snapshot: otherwise nothing shows that its journal is old.
  return { kind, node, at, until: at + random.between(VM_FAULT_MS_MIN, VM_FAULT_MS_MAX) };
}

function generateJob(random: Random, nodes: readonly string[], item: string): Submission {
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
