/**
 * Generates faults of every kind: often enough to hurt, rarely enough for work to make progress between them.
 */
import type { TimedFault } from './plan.js';
import type { Random } from './random.js';

/** Generates faults that strike before `endMs`, at times that do not depend on what the nodes do. */
export function generateFaults(random: Random, nodes: readonly string[], endMs: number): TimedFault[] {
  const count = random.between(0, 8);
  return Array.from({ length: count }, () => {
    const at = random.between(500, endMs - 5000);
    const until = Math.min(endMs, at + Math.round(random.exponential(8000)) + 50);
    return generateFault(random, random.pick(nodes), nodes, { at, until });
  }).toSorted((a, b) => a.at - b.at);
}

/** Generates one fault of a node, of any kind. */
export function generateFault(
  random: Random,
  node: string,
  nodes: readonly string[],
  { at, until }: { readonly at: number; readonly until: number },
): TimedFault {
  switch (random.between(0, 14)) {
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
      return { kind: 'cut', ...generateCut(random, node, nodes), at, until };
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
    case 13:
      return { kind: 'redelivery', node, sinceMs: random.between(100, 30_000), at };
    default:
      return random.chance(0.5) ? { kind: 'take-over', node, at } : { kind: 'retained-command', node, at };
  }
}

function generateCut(
  random: Random,
  node: string,
  nodes: readonly string[],
): { readonly from: string; readonly to: string } {
  const other = random.chance(0.5) ? '*' : random.pick(nodes);
  return random.chance(0.5) ? { from: node, to: other } : { from: other, to: node };
}
