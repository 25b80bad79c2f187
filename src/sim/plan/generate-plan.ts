/**
 * Generates the plan of a seed: work, loads, drains and faults. Each comes from its own random stream, so that a change
 * to one leaves the others as they were. The names of the streams are part of a seed: renaming one changes all plans.
 */
import { generateTriggers } from './generate-triggers.js';
import { generateDisks } from './generate-disks.js';
import { generateFaults } from './generate-faults.js';
import { generateIdentityFaults, generateVirtualMachines } from './generate-identity.js';
import { generateLateAnswers } from './generate-late-answers.js';
import { generateLocalWork } from './generate-local-work.js';
import { generateLies, generateLyingOnly } from './generate-lies.js';
import { generateMoves } from './generate-moves.js';
import { generateMoving } from './generate-moving.js';
import { generateOneWay } from './generate-one-way.js';
import type { LoadChange, Plan, Submission } from './plan.js';
import { generateOutages } from './generate-outages.js';
import { generateSleepers } from './generate-sleepers.js';
import { createRandom, type Random } from './random.js';

/** How long faults strike, virtual ms. */
const SAFETY_MS = 60_000;
const NAMES: readonly string[] = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];

/** Generates the plan of a seed. */
export function generatePlan(seed: number): Plan {
  const random = createRandom(seed);
  const nodes = NAMES.slice(0, random.between(2, NAMES.length));
  const slots = random.between(1, 3);
  const plan: Plan = {
    seed,
    nodes,
    slots,
    safetyMs: SAFETY_MS,
    submissions: generateMoves(random.split('moves'), generateSubmissions(random.split('work'), nodes, slots)),
    loads: generateLoads(random.split('loads'), nodes),
    drains: generateDrains(random.split('drains'), nodes),
    faults: [
      ...generateFaults(random.split('faults'), nodes, SAFETY_MS),
      ...generateTriggers(random.split('ambushes'), nodes, SAFETY_MS),
      ...generateIdentityFaults(random.split('identity'), nodes, SAFETY_MS),
      ...generateLies(random.split('lies'), nodes, SAFETY_MS),
    ],
  };
  const disks = random.split('disks');
  if (disks.chance(SHORT_DISKS)) return generateDisks(disks, plan);
  const late = random.split('late');
  if (late.chance(LATE)) return { ...plan, ...generateLateAnswers(late, nodes) };
  const moving = random.split('moving');
  if (moving.chance(MOVING)) return { ...plan, ...generateMoving(moving, nodes) };
  const virtual = random.split('virtual');
  if (virtual.chance(VIRTUAL)) return { ...plan, ...generateVirtualMachines(virtual, nodes) };
  const local = random.split('local');
  if (local.chance(LOCAL)) return { ...plan, ...generateLocalWork(local, nodes, slots) };
  const lying = random.split('lying');
  if (lying.chance(LYING)) return { ...plan, ...generateLyingOnly(lying, nodes, SAFETY_MS) };
  const outages = random.split('outages');
  // Every fourth seed rebalances by `gf3`, under which nothing leaves its owner while others are idle.
  if (outages.chance(OUTAGES) && seed % 4 !== 0) return { ...plan, ...generateOutages(outages, nodes, slots) };
  const sleeping = random.split('sleeping');
  if (sleeping.chance(SLEEPING)) return { ...plan, ...generateSleepers(sleeping, nodes) };
  const ways = random.split('ways');
  return ways.chance(ONE_WAY) ? { ...plan, ...generateOneWay(ways, nodes, SAFETY_MS) } : plan;
}

// Shares of plans of one kind each. They are tried in this order, each among the plans that are left.
/** Little free disk space. */
const SHORT_DISKS = 0.15;
/** Late answers. */
const LATE = 0.06;
/** A process that moves all the time. */
const MOVING = 0.1;
/** Virtual machines that are paused or rolled back. */
const VIRTUAL = 0.08;
/** Work that is submitted while the broker is down. */
const LOCAL = 0.08;
/** Lying clocks. */
const LYING = 0.08;
/** A broker that is down for longer than a lease. */
const OUTAGES = 0.3;
/** A machine that sleeps past a lease and is not heard when it wakes up. */
const SLEEPING = 0.05;
/** Peers that cannot be called. */
const ONE_WAY = 0.4;

function generateSubmissions(random: Random, nodes: readonly string[], slots: number): Submission[] {
  const count = random.between(1, 10);
  return Array.from({ length: count }, (_, index) => {
    const at = random.between(500, SAFETY_MS * 0.7);
    const retry = random.chance(0.4) ? 'once' : 'rerun';
    return {
      at,
      node: random.pick(nodes),
      item: `i${index}`,
      takesMs: generateDuration(random),
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

/** Most jobs are short; a few outlast every lease. */
function generateDuration(random: Random): number {
  const kind = random.next();
  if (kind < 0.5) return random.between(5, 800);
  return kind < 0.88 ? random.between(1000, 20_000) : random.between(20_000, 45_000);
}

function generateLoads(random: Random, nodes: readonly string[]): LoadChange[] {
  const changes: LoadChange[] = nodes.map((node) => ({ at: 0, node, ratio: random.pick([0.05, 0.1, 0.1, 0.5, 0.9]) }));
  for (let i = random.between(0, 6); i > 0; i -= 1) {
    const at = random.between(1000, SAFETY_MS);
    changes.push({ at, node: random.pick(nodes), ratio: random.pick([0.05, 0.1, 0.5, 0.95]) });
  }
  return changes;
}

function generateDrains(random: Random, nodes: readonly string[]): Plan['drains'] {
  if (!random.chance(0.25)) return [];
  const at = random.between(2000, SAFETY_MS * 0.7);
  return [{ node: random.pick(nodes), at, until: at + random.between(1000, 20_000) }];
}
