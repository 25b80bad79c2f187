/**
 * Draws the plan of a seed: work, loads, drains and faults, each from a stream of its own, so that a change to one leaves the
 * others as they were.
 */
import { drawAmbushes } from './draw-ambushes.js';
import { drawDisks } from './draw-disks.js';
import { drawFaults } from './draw-faults.js';
import { drawIdentityFaults, drawVirtualMachines } from './draw-identity.js';
import { drawLateAnswers } from './draw-late-answers.js';
import { drawLocalWork } from './draw-local-work.js';
import { drawLies, drawLyingOnly } from './draw-lies.js';
import { drawMoves } from './draw-moves.js';
import { drawMoving } from './draw-moving.js';
import { drawOneWay } from './draw-one-way.js';
import type { LoadChange, Plan, Submission } from './plan.js';
import { drawOutages } from './draw-outages.js';
import { drawSleepers } from './draw-sleepers.js';
import { createRandom, type Random } from './random.js';

/** How long faults strike, virtual ms. */
const SAFETY_MS = 60_000;
const NAMES: readonly string[] = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];

/** Draws the plan of a seed. */
export function drawPlan(seed: number): Plan {
  const random = createRandom(seed);
  const nodes = NAMES.slice(0, random.between(2, NAMES.length));
  const slots = random.between(1, 3);
  const plan: Plan = {
    seed,
    nodes,
    slots,
    safetyMs: SAFETY_MS,
    submissions: drawMoves(random.split('moves'), drawSubmissions(random.split('work'), nodes, slots)),
    loads: drawLoads(random.split('loads'), nodes),
    drains: drawDrains(random.split('drains'), nodes),
    faults: [
      ...drawFaults(random.split('faults'), nodes, SAFETY_MS),
      ...drawAmbushes(random.split('ambushes'), nodes, SAFETY_MS),
      ...drawIdentityFaults(random.split('identity'), nodes, SAFETY_MS),
      ...drawLies(random.split('lies'), nodes, SAFETY_MS),
    ],
  };
  const disks = random.split('disks');
  if (disks.chance(SHORT_DISKS)) return drawDisks(disks, plan);
  const late = random.split('late');
  if (late.chance(LATE)) return { ...plan, ...drawLateAnswers(late, nodes) };
  const moving = random.split('moving');
  if (moving.chance(MOVING)) return { ...plan, ...drawMoving(moving, nodes) };
  const virtual = random.split('virtual');
  if (virtual.chance(VIRTUAL)) return { ...plan, ...drawVirtualMachines(virtual, nodes) };
  const local = random.split('local');
  if (local.chance(LOCAL)) return { ...plan, ...drawLocalWork(local, nodes, slots) };
  const lying = random.split('lying');
  if (lying.chance(LYING)) return { ...plan, ...drawLyingOnly(lying, nodes, SAFETY_MS) };
  const outages = random.split('outages');
  // By the strict rule nothing leaves its owner while others are idle.
  if (outages.chance(OUTAGES) && seed % 4 !== 0) return { ...plan, ...drawOutages(outages, nodes, slots) };
  const sleeping = random.split('sleeping');
  if (sleeping.chance(SLEEPING)) return { ...plan, ...drawSleepers(sleeping, nodes) };
  const ways = random.split('ways');
  return ways.chance(ONE_WAY) ? { ...plan, ...drawOneWay(ways, nodes, SAFETY_MS) } : plan;
}

/** Of plans, how many have disks with little room. */
const SHORT_DISKS = 0.15;
/** Of the others, how many are about answers that come late. */
const LATE = 0.06;
/** And how many about a process that moves all the time. */
const MOVING = 0.1;
/** And how many about virtual machines. */
const VIRTUAL = 0.08;
/** And how many about work that is submitted while the broker is away. */
const LOCAL = 0.08;
/** And how many about clocks that lie. */
const LYING = 0.08;
/** And how many about a broker that is away for longer than a lease. */
const OUTAGES = 0.3;
/** And how many about a machine that sleeps past a lease, and is not heard then. */
const SLEEPING = 0.05;
/** And how many about peers that cannot be called. */
const ONE_WAY = 0.4;

function drawSubmissions(random: Random, nodes: readonly string[], slots: number): Submission[] {
  const count = random.between(1, 10);
  return Array.from({ length: count }, (_, index) => {
    const at = random.between(500, SAFETY_MS * 0.7);
    const retry = random.chance(0.4) ? 'once' : 'rerun';
    return {
      at,
      node: random.pick(nodes),
      item: `i${index}`,
      takesMs: drawDuration(random),
      retry,
      migrate: retry === 'rerun' && random.chance(0.4) ? 'restart' : 'never',
      withInputs: random.chance(0.4),
      place: random.chance(0.75) ? 'any' : random.pick(['here', 'away', 'away']),
      deferred: random.chance(0.15),
      cpus: random.chance(0.85) ? 1 : Math.min(2, slots),
      cancelAt: random.chance(0.12) ? at + random.between(0, 15_000) : undefined,
      moveAt: random.chance(0.15) ? at + random.between(0, 15_000) : undefined,
    };
  });
}

/** Most are short; a few outlast every lease. */
function drawDuration(random: Random): number {
  const kind = random.next();
  if (kind < 0.5) return random.between(5, 800);
  return kind < 0.88 ? random.between(1000, 20_000) : random.between(20_000, 45_000);
}

function drawLoads(random: Random, nodes: readonly string[]): LoadChange[] {
  const changes: LoadChange[] = nodes.map((node) => ({ at: 0, node, ratio: random.pick([0.05, 0.1, 0.1, 0.5, 0.9]) }));
  for (let i = random.between(0, 6); i > 0; i -= 1) {
    const at = random.between(1000, SAFETY_MS);
    changes.push({ at, node: random.pick(nodes), ratio: random.pick([0.05, 0.1, 0.5, 0.95]) });
  }
  return changes;
}

function drawDrains(random: Random, nodes: readonly string[]): Plan['drains'] {
  if (!random.chance(0.25)) return [];
  const at = random.between(2000, SAFETY_MS * 0.7);
  return [{ node: random.pick(nodes), at, until: at + random.between(1000, 20_000) }];
}
