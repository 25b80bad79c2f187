/**
 * The network between machines: how long a packet takes, and where none passes. Directions are separate, so a cut may
 * be one-way. The network carries no messages itself; brokers and connections ask it.
 */
import type { Random } from '../plan/random.js';

/** The place of the broker. */
export const BROKER_PLACE = 'broker';

/** A direction between two places; `*` stands for every place. */
export interface Cut {
  readonly from: string;
  readonly to: string;
}

/** The current state of the network. */
export interface Network {
  /** Whether packets pass. */
  passes(from: string, to: string): boolean;
  /** Whether a connection can be made: packets pass both ways, and `to` accepts connections from `from`. */
  connects(from: string, to: string): boolean;
  /** How long the next packet takes, ms. Draws random numbers. */
  delay(): number;
  cut(cut: Cut): void;
  restore(cut: Cut): void;
  /** A place accepts no connections from another any more; its own calls still work. `restoreAll` does not undo it. */
  refuse(door: Cut): void;
  accept(door: Cut): void;
  restoreAll(): void;
  /** Delays every packet by up to this much, ms. */
  slowDown(ms: number): void;
}

/** A packet on a quiet home network takes at most this long, ms. */
const PACKET_MS_MAX = 3;

/** Creates a network without cuts. */
export function createNetwork(random: Random): Network {
  const cuts = new Set<Cut>();
  const refusals = new Set<Cut>();
  let slowMs = 0;
  return {
    passes: (from, to) => !isCovered(cuts, from, to),
    connects: (from, to) =>
      !isCovered(cuts, from, to) && !isCovered(cuts, to, from) && (from === to || !isCovered(refusals, from, to)),
    delay: () => 0.2 + random.next() * PACKET_MS_MAX + random.next() * slowMs,
    cut: (cut) => {
      cuts.add(cut);
    },
    restore: (cut) => {
      cuts.delete(cut);
    },
    refuse: (door) => {
      refusals.add(door);
    },
    accept: (door) => {
      refusals.delete(door);
    },
    restoreAll: () => cuts.clear(),
    slowDown: (ms) => {
      slowMs = ms;
    },
  };
}

function isCovered(cuts: ReadonlySet<Cut>, from: string, to: string): boolean {
  for (const one of cuts) {
    if ((one.from === '*' || one.from === from) && (one.to === '*' || one.to === to)) return true;
  }
  return false;
}
