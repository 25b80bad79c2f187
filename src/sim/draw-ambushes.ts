/**
 * Draws faults that lie in wait for a step of a node: a moment of a few milliseconds is never hit by a fault that strikes at
 * any time.
 */
import { drawFault } from './draw-faults.js';
import { STEPPER, type Ambush, type TimedFault } from './plan.js';
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

/** Between these and what makes them safe lie the moments that matter most: they are lain in wait for more often. */
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

/** The steps of a process that moves as it is. */
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

/** Of plans, how many have ambushes at all. */
const AMBUSHED = 0.5;

/** Draws ambushes that lie in wait from some moment before `endMs` on. */
export function drawAmbushes(random: Random, nodes: readonly string[], endMs: number): Ambush[] {
  if (!random.chance(AMBUSHED)) return [];
  return Array.from({ length: random.between(1, 3) }, () => drawAmbush(random, nodes, endMs));
}

function drawAmbush(random: Random, nodes: readonly string[], endMs: number): Ambush {
  const at = random.between(0, endMs / 2);
  const node = random.chance(0.6) ? '*' : random.pick(nodes);
  const lying = { kind: 'ambush', node, at } as const;
  if (random.chance(0.2)) return { ...drawMoveAmbush(random, nodes, at), node };
  const step = random.pick(random.chance(0.5) ? CRITICAL : STEPS);
  const aim = { ...lying, step, nth: 1 + Math.floor(random.exponential(1)) };
  return { ...aim, strikes: random.chance(0.8) ? drawCrash(random) : [drawOther(random, nodes)] };
}

/** Draws an ambush that lies in wait for a step of a move, of any node, from `at` on. */
export function drawMoveAmbush(random: Random, nodes: readonly string[], at: number): Ambush {
  const step = random.pick(MOVES);
  const nth = random.between(1, 2);
  return { kind: 'ambush', node: '*', step, nth, at, strikes: drawAtMove(random, nodes) };
}

/** Half of the harm to a move is that one side does not hear the other in time. */
function drawAtMove(random: Random, nodes: readonly string[]): TimedFault[] {
  const kind = random.next();
  if (kind < 0.4) return drawCrash(random);
  if (kind < 0.6) return [drawOther(random, nodes)];
  const at = random.chance(0.5) ? 0 : random.between(1, 50);
  const until = at + random.between(1000, 14_000);
  if (kind < 0.8) return [{ kind: 'slow-subscriber', node: STEPPER, ms: random.between(1000, 9500), at, until }];
  const [from, to] = random.chance(0.5) ? ['*', STEPPER] : [STEPPER, '*'];
  return [{ kind: 'cut', from, to, at, until }];
}

/** The node goes, and comes back; what it had been sent before may be sent to it once more then. */
function drawCrash(random: Random): TimedFault[] {
  const at = random.chance(0.7) ? 0 : random.between(1, 300);
  const until = at + drawDownMs(random);
  const crash: TimedFault = { kind: random.chance(0.3) ? 'power-loss' : 'crash', node: STEPPER, at, until };
  if (!random.chance(0.3)) return [crash];
  const again = until + random.between(500, 5000);
  return [crash, { kind: 'redelivery', node: STEPPER, sinceMs: again + random.between(0, 10_000), at: again }];
}

/** Back before anybody noticed, back within a lease, or gone for longer than one. */
function drawDownMs(random: Random): number {
  const choice = random.next();
  if (choice < 0.4) return random.between(20, 800);
  return choice < 0.8 ? random.between(800, 9000) : random.between(12_000, 25_000);
}

function drawOther(random: Random, nodes: readonly string[]): TimedFault {
  const at = random.chance(0.5) ? 0 : random.between(1, 300);
  return drawFault(random, STEPPER, nodes, { at, until: at + 50 + Math.round(random.exponential(8000)) });
}
