/**
 * Generates plans in which a receiver's machine sleeps for longer than a lease and its margin, and is not heard when it
 * wakes up, because its node is down or its network is cut. Only its own clocks and its watchdog can tell that the run
 * must stop.
 */
import { STEPPER, type FaultTrigger, type LoadChange, type Plan, type TimedFault } from './plan.js';
import type { Random } from './random.js';

/** Generates such a plan. */
export function generateSleepers(
  random: Random,
  nodes: readonly string[],
): Pick<Plan, 'submissions' | 'loads' | 'drains' | 'faults'> {
  const owner = random.pick(nodes);
  const isStarting = random.chance(0.4);
  return {
    submissions: [
      {
        at: random.between(4000, 8000),
        node: owner,
        item: 'i0',
        takesMs: 50_000,
        retry: random.chance(0.2) ? 'once' : 'rerun',
        migrate: 'never',
        // With inputs to fetch, there is time between the lease and the start.
        withInputs: isStarting || random.chance(0.3),
        place: 'any',
        deferred: false,
        cpus: 1,
        cancelAt: undefined,
        moveAt: undefined,
      },
    ],
    // The owner may run it, but other nodes rank higher.
    loads: nodes.map((node): LoadChange => ({ at: 0, node, ratio: node === owner ? random.pick([0.1, 0.5]) : 0.05 })),
    drains: [],
    faults: [generateSleep(random, isStarting)],
  };
}

/** Steps of a receiver before a start. It must not carry out the rest of them when it wakes up. */
const BEFORE_START: readonly string[] = ['receiver:fetched', 'receiver:persisted-starting'];

/** The steps before a start follow each other within this time, ms. */
const START_MS = 0.4;

/** It falls asleep just after a renewal, when most of the lease is left, or at some other time. */
function generateSleep(random: Random, isStarting: boolean): FaultTrigger {
  const at = isStarting ? random.next() * START_MS : random.between(20, 3000);
  const wakesAt = at + random.between(16_000, 24_000);
  const until = wakesAt + random.between(6000, 12_000);
  const silence: TimedFault[] =
    !isStarting && random.chance(0.5)
      ? [{ kind: 'crash', node: STEPPER, at: at + 1, until }]
      : [
          { kind: 'cut', from: STEPPER, to: '*', at: at + 1, until },
          { kind: 'cut', from: '*', to: STEPPER, at: at + 1, until },
        ];
  return {
    kind: 'trigger',
    node: '*',
    step: isStarting ? random.pick(BEFORE_START) : 'receiver:progress',
    nth: isStarting ? 1 : random.between(1, 3),
    at: 0,
    strikes: [{ kind: 'suspend', node: STEPPER, at, until: wakesAt }, ...silence],
  };
}
