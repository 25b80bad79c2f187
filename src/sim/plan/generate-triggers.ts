/**
 * Generates faults that wait for a certain step of a node. A fault at a random time would never hit a window of a few
 * milliseconds.
 */
import { generateFault } from './generate-faults.js';
import { STEPPER, type FaultTrigger, type TimedFault } from './plan.js';
import type { Random } from './random.js';

const STEPS: readonly string[] = [
  'owner:persist-staging',
  'owner:persisted-staging',
  'owner:stage',
  'owner:staged',
  'owner:persist-queued',
  'owner:persisted-queued',
  'owner:offer',
  'owner:said-offer',
  'owner:persist-acked',
  'owner:persisted-acked',
  'owner:share',
  'owner:ack',
  'owner:said-ack',
  'owner:lease-hold',
  'owner:said-lease-hold',
  'owner:lease-vacate',
  'owner:lease-cancel',
  'owner:fetch',
  'owner:fetched',
  'owner:place',
  'owner:placed',
  'owner:persist-done',
  'owner:persisted-done',
  'owner:lease-settled',
  'owner:said-lease-settled',
  'owner:remove',
  'receiver:claim',
  'receiver:said-claim',
  'receiver:persist-fetching',
  'receiver:persisted-fetching',
  'receiver:fetch',
  'receiver:fetched',
  'receiver:persist-starting',
  'receiver:persisted-starting',
  'receiver:start',
  'receiver:started',
  'receiver:persist-running',
  'receiver:persisted-running',
  'receiver:progress',
  'receiver:said-progress',
  'receiver:stop',
  'receiver:collect',
  'receiver:collected',
  'receiver:share',
  'receiver:result',
  'receiver:said-result',
  'receiver:remove',
  'receiver:persist-forgotten',
  'receiver:persisted-forgotten',
  'receiver:adopt',
  'receiver:adopted',
];

/** The windows that matter most lie between these steps and what makes them safe. They are chosen more often. */
const CRITICAL: readonly string[] = [
  'owner:persisted-acked',
  'owner:said-ack',
  'owner:said-lease-hold',
  'owner:said-lease-settled',
  'receiver:persisted-fetching',
  'receiver:persisted-starting',
  'receiver:started',
  'receiver:said-result',
];

/** The steps of a move by checkpoint. */
const MOVES: readonly string[] = [
  'owner:lease-checkpoint',
  'receiver:freeze',
  'receiver:freezing',
  'receiver:persist-frozen',
  'receiver:persisted-frozen',
  'receiver:persisted-prepared',
  'owner:persist-committed',
  'owner:persisted-committed',
  'owner:lease-continue',
  'owner:said-lease-continue',
  'receiver:thaw',
  'receiver:thawed',
  'owner:lease-resume',
];

/** Share of plans that have triggers at all. */
const TRIGGERED = 0.5;

/** Generates triggers that are armed at some time in the first half of `endMs`. */
export function generateTriggers(random: Random, nodes: readonly string[], endMs: number): FaultTrigger[] {
  if (!random.chance(TRIGGERED)) return [];
  return Array.from({ length: random.between(1, 3) }, () => generateTrigger(random, nodes, endMs));
}

function generateTrigger(random: Random, nodes: readonly string[], endMs: number): FaultTrigger {
  const at = random.between(0, endMs / 2);
  const node = random.chance(0.6) ? '*' : random.pick(nodes);
  const lying = { kind: 'trigger', node, at } as const;
  if (random.chance(0.2)) return { ...generateMoveTrigger(random, nodes, at), node };
  const step = random.pick(random.chance(0.5) ? CRITICAL : STEPS);
  const aim = { ...lying, step, nth: 1 + Math.floor(random.exponential(1)) };
  return { ...aim, strikes: random.chance(0.8) ? generateCrash(random) : [generateOther(random, nodes)] };
}

/** Generates a trigger for a step of a move, on any node, armed from `at` on. */
export function generateMoveTrigger(random: Random, nodes: readonly string[], at: number): FaultTrigger {
  const step = random.pick(MOVES);
  const nth = random.between(1, 2);
  return { kind: 'trigger', node: '*', step, nth, at, strikes: generateAtMove(random, nodes) };
}

/** Half of the faults at a move keep one side from hearing the other in time. */
function generateAtMove(random: Random, nodes: readonly string[]): TimedFault[] {
  const kind = random.next();
  if (kind < 0.4) return generateCrash(random);
  if (kind < 0.6) return [generateOther(random, nodes)];
  const at = random.chance(0.5) ? 0 : random.between(1, 50);
  const until = at + random.between(1000, 14_000);
  if (kind < 0.8) return [{ kind: 'slow-subscriber', node: STEPPER, ms: random.between(1000, 9500), at, until }];
  const [from, to] = random.chance(0.5) ? ['*', STEPPER] : [STEPPER, '*'];
  return [{ kind: 'cut', from, to, at, until }];
}

/** The node crashes and restarts. Messages from before may be delivered to it again. */
function generateCrash(random: Random): TimedFault[] {
  const at = random.chance(0.7) ? 0 : random.between(1, 300);
  const until = at + generateDownMs(random);
  const crash: TimedFault = { kind: random.chance(0.3) ? 'power-loss' : 'crash', node: STEPPER, at, until };
  if (!random.chance(0.3)) return [crash];
  const again = until + random.between(500, 5000);
  return [crash, { kind: 'redelivery', node: STEPPER, sinceMs: again + random.between(0, 10_000), at: again }];
}

/** Back before anyone noticed, back within a lease, or down for longer than one, ms. */
function generateDownMs(random: Random): number {
  const choice = random.next();
  if (choice < 0.4) return random.between(20, 800);
  return choice < 0.8 ? random.between(800, 9000) : random.between(12_000, 25_000);
}

function generateOther(random: Random, nodes: readonly string[]): TimedFault {
  const at = random.chance(0.5) ? 0 : random.between(1, 300);
  return generateFault(random, STEPPER, nodes, { at, until: at + 50 + Math.round(random.exponential(8000)) });
}
