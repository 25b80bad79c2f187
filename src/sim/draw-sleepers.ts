/**
 * Draws plans in which a receiver's machine sleeps for longer than a lease and its margin, and nobody hears it when it wakes: its node
 * is dead, or its line. Whether its run stands still then is for its own clocks and its guardian to know.
 */
import { STEPPER, type Ambush, type LoadChange, type Plan, type TimedFault } from './plan.js';
import type { Random } from './random.js';

/** Draws what is particular to such a plan. */
export function drawSleepers(
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
        // What is fetched first has a moment between its lease and its start.
        withInputs: isStarting || random.chance(0.3),
        place: 'any',
        deferred: false,
        cpus: 1,
        cancelAt: undefined,
        moveAt: undefined,
      },
    ],
    // The owner may take it back, but others are better off.
    loads: nodes.map((node): LoadChange => ({ at: 0, node, ratio: node === owner ? random.pick([0.1, 0.5]) : 0.05 })),
    drains: [],
    faults: [drawSleep(random, isStarting)],
  };
}

/** What a receiver does before it starts: it must not do the rest of it when it wakes. */
const BEFORE_START: readonly string[] = ['receiver:fetched', 'receiver:persisted-starting'];

/** The steps before a start follow each other within less than this, ms. */
const START_MS = 0.4;

/** Just after an answer the most of a lease is left; at any other time less. */
function drawSleep(random: Random, isStarting: boolean): Ambush {
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
    kind: 'ambush',
    node: '*',
    step: isStarting ? random.pick(BEFORE_START) : 'receiver:progress',
    nth: isStarting ? 1 : random.between(1, 3),
    at: 0,
    strikes: [{ kind: 'suspend', node: STEPPER, at, until: wakesAt }, ...silence],
  };
}
