/**
 * Generates plans in which a long process moves again and again while faults wait for the steps of its moves. Bugs in a
 * move show only while both of its sides run and the owner hears one of them late. Nothing else happens in these plans.
 */
import { generateMoveTrigger } from './generate-triggers.js';
import { STEPPER, type FaultTrigger, type LoadChange, type Plan, type Submission, type TimedFault } from './plan.js';
import type { Random } from './random.js';

/** Generates such a plan. */
export function generateMoving(
  random: Random,
  nodes: readonly string[],
): Pick<Plan, 'submissions' | 'loads' | 'drains' | 'faults'> {
  const owner = random.pick(nodes);
  return {
    submissions: [generateMovingJob(random, owner)],
    loads: nodes.map((node): LoadChange => ({ at: 0, node, ratio: node === owner ? random.pick([0.1, 0.5]) : 0.1 })),
    drains: [],
    faults: random.chance(0.4) ? generateLateCopy(random) : generateAnyFaults(random, nodes),
  };
}

function generateAnyFaults(random: Random, nodes: readonly string[]): FaultTrigger[] {
  const count = random.between(1, 4);
  return Array.from({ length: count }, () => generateMoveTrigger(random, nodes, random.between(0, 30_000)));
}

/**
 * The receiver of the copy is late, or down until another one takes over, and is silenced once the copy runs. By then
 * the time for which an original may stay stopped is over, but the copy's lease is not.
 */
function generateLateCopy(random: Random): FaultTrigger[] {
  const any = { kind: 'trigger', node: '*', nth: 1, at: 7000 } as const;
  const late: TimedFault = random.chance(0.6)
    ? { kind: 'stall', node: STEPPER, at: 0, until: random.between(5500, 9500) }
    : { kind: 'crash', node: STEPPER, at: 0, until: random.between(3000, 22_000) };
  const until = random.between(8000, 18_000);
  const silence: TimedFault[] = [
    { kind: 'cut', from: STEPPER, to: '*', at: 0, until },
    // Messages to it are late, too.
    { kind: 'slow-subscriber', node: STEPPER, ms: random.between(500, 9000), at: 0, until },
  ];
  return [
    { ...any, step: 'receiver:fetch', strikes: [late] },
    { ...any, step: 'receiver:thaw', strikes: silence },
  ];
}

function generateMovingJob(random: Random, node: string): Submission {
  const at = random.between(3000, 6000);
  const moves: number[] = [];
  for (let next = at + random.between(500, 3000); next < LAST_MOVE_MS; next += random.between(300, 8000))
    moves.push(next);
  return {
    at,
    node,
    item: 'i0',
    takesMs: 60_000,
    retry: random.chance(0.5) ? 'once' : 'rerun',
    migrate: 'checkpoint',
    withInputs: random.chance(0.3),
    place: 'any',
    deferred: false,
    cpus: 1,
    cancelAt: random.chance(0.1) ? at + random.between(1000, 30_000) : undefined,
    moveAt: undefined,
    moves,
  };
}

const LAST_MOVE_MS = 50_000;
