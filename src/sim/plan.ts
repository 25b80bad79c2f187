/**
 * The plan of a simulation, drawn from its seed: which work is submitted when and where, how loads wander, and which faults
 * strike. A plan is data: it can be printed, shortened and replayed.
 */
import { createRandom, type Random } from './random.js';

/** One fault. Times in ms since the beginning; what lasts ends at `until`. */
export type Fault =
  | { readonly kind: 'crash'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'power-loss'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'stall'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'suspend'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'disk-full'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'clock-jump'; readonly node: string; readonly at: number; readonly byMs: number }
  | { readonly kind: 'cut'; readonly from: string; readonly to: string; readonly at: number; readonly until: number }
  | { readonly kind: 'slow-network'; readonly ms: number; readonly at: number; readonly until: number }
  | {
      readonly kind: 'slow-subscriber';
      readonly node: string;
      readonly ms: number;
      readonly at: number;
      readonly until: number;
    }
  | {
      readonly kind: 'bad-broker';
      readonly losses: number;
      readonly duplicates: number;
      readonly queueMax: number;
      readonly at: number;
      readonly until: number;
    }
  | { readonly kind: 'broker-down'; readonly forgets: boolean; readonly at: number; readonly until: number }
  | { readonly kind: 'take-over'; readonly node: string; readonly at: number }
  /** A command that a careless person left on the bus as a retained message. */
  | { readonly kind: 'retained-command'; readonly node: string; readonly at: number };

/** One item to submit. */
export interface Submission {
  readonly at: number;
  readonly node: string;
  readonly item: string;
  readonly takesMs: number;
  readonly retry: 'once' | 'rerun';
  readonly migrate: 'never' | 'restart';
  readonly withInputs: boolean;
  readonly deferred: boolean;
  readonly cpus: number;
  /** When a person cancels it, if so. */
  readonly cancelAt: number | undefined;
  /** When a person asks for it to move, if so. */
  readonly moveAt: number | undefined;
}

/** How one node's load goes: the ratio from each moment on. */
export interface LoadChange {
  readonly at: number;
  readonly node: string;
  readonly ratio: number;
}

/** A whole plan. */
export interface Plan {
  readonly seed: number;
  readonly nodes: readonly string[];
  readonly slots: number;
  /** End of the phase with faults; then everything is healed. */
  readonly safetyMs: number;
  readonly submissions: readonly Submission[];
  readonly loads: readonly LoadChange[];
  readonly drains: readonly { readonly node: string; readonly at: number; readonly until: number }[];
  readonly faults: readonly Fault[];
}

const SAFETY_MS = 60_000;
const NAMES: readonly string[] = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];

/** Draws the plan of a seed. */
export function drawPlan(seed: number): Plan {
  const random = createRandom(seed);
  const nodes = NAMES.slice(0, random.between(2, NAMES.length));
  const slots = random.between(1, 3);
  return {
    seed,
    nodes,
    slots,
    safetyMs: SAFETY_MS,
    submissions: drawSubmissions(random.split('work'), nodes, slots),
    loads: drawLoads(random.split('loads'), nodes),
    drains: drawDrains(random.split('drains'), nodes),
    faults: drawFaults(random.split('faults'), nodes),
  };
}

function drawSubmissions(random: Random, nodes: readonly string[], slots: number): Submission[] {
  const count = random.between(1, 10);
  return Array.from({ length: count }, (_, index) => {
    const at = random.between(500, SAFETY_MS * 0.7);
    const retry = random.chance(0.4) ? 'once' : 'rerun';
    return {
      at,
      node: random.pick(nodes),
      item: `i${index}`,
      takesMs: random.chance(0.5) ? random.between(5, 800) : random.between(1000, 20_000),
      retry,
      migrate: retry === 'rerun' && random.chance(0.4) ? 'restart' : 'never',
      withInputs: random.chance(0.4),
      deferred: random.chance(0.15),
      cpus: random.chance(0.85) ? 1 : Math.min(2, slots),
      cancelAt: random.chance(0.12) ? at + random.between(0, 15_000) : undefined,
      moveAt: random.chance(0.15) ? at + random.between(0, 15_000) : undefined,
    };
  });
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

function drawFaults(random: Random, nodes: readonly string[]): Fault[] {
  const count = random.between(0, 8);
  return Array.from({ length: count }, () => drawFault(random, nodes)).toSorted((a, b) => a.at - b.at);
}

function drawFault(random: Random, nodes: readonly string[]): Fault {
  const at = random.between(500, SAFETY_MS - 5000);
  const until = Math.min(SAFETY_MS, at + Math.round(random.exponential(8000)) + 50);
  const node = random.pick(nodes);
  switch (random.between(0, 13)) {
    case 0:
    case 1:
      return { kind: 'crash', node, at, until };
    case 2:
      return { kind: 'power-loss', node, at, until };
    case 3:
      return { kind: 'stall', node, at, until };
    case 4:
      return { kind: 'suspend', node, at, until };
    case 5:
      return { kind: 'disk-full', node, at, until };
    case 6:
      return { kind: 'clock-jump', node, at, byMs: random.between(-3_600_000, 3_600_000) };
    case 7:
      return { kind: 'cut', ...drawCut(random, node, nodes), at, until };
    case 8:
      return { kind: 'slow-network', ms: random.between(50, 2000), at, until };
    case 9:
      return { kind: 'slow-subscriber', node, ms: random.between(100, 9500), at, until };
    case 10:
    case 11:
      return {
        kind: 'bad-broker',
        losses: random.next() * 0.6,
        duplicates: random.next() * 0.5,
        queueMax: random.between(1, 50),
        at,
        until,
      };
    case 12:
      return { kind: 'broker-down', forgets: random.chance(0.5), at, until };
    default:
      return random.chance(0.5) ? { kind: 'take-over', node, at } : { kind: 'retained-command', node, at };
  }
}

function drawCut(
  random: Random,
  node: string,
  nodes: readonly string[],
): { readonly from: string; readonly to: string } {
  const other = random.chance(0.5) ? '*' : random.pick(nodes);
  return random.chance(0.5) ? { from: node, to: other } : { from: other, to: node };
}

/** The load ratio that the plan gives a node at a moment. */
export function ratioAt(plan: Plan, node: string, at: number): number {
  // In the end all are idle: what waits for an idle mesh has no excuse then.
  if (at > plan.safetyMs) return 0.05;
  let ratio = 0.1;
  let since = -1;
  for (const change of plan.loads) {
    if (change.node !== node || change.at > at || change.at < since) continue;
    ratio = change.ratio;
    since = change.at;
  }
  return ratio;
}
