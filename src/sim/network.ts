/**
 * The network between machines: how long a packet takes, and where none passes. Directions are separate, so that a cut may be
 * one-way. It carries no messages itself; it is asked.
 */
import type { Random } from './random.js';

/** Name of the place where the broker is. */
export const BROKER_PLACE = 'broker';

/** A cut between two places; `*` stands for every place. */
export interface Cut {
  readonly from: string;
  readonly to: string;
}

/** How the network is at the moment. */
export interface Network {
  /** Whether packets pass. */
  passes(from: string, to: string): boolean;
  /** Whether a connection can be made: packets pass both ways, and no door is closed. */
  connects(from: string, to: string): boolean;
  /** Milliseconds that the next packet takes. */
  delay(): number;
  cut(cut: Cut): void;
  mend(cut: Cut): void;
  /** A place takes no connection from another any more; those that it makes itself are as they were. Not mended with all else. */
  close(door: Cut): void;
  reopen(door: Cut): void;
  mendAll(): void;
  /** Makes every packet slower by up to this, ms. */
  slowDown(ms: number): void;
}

/** A packet on a quiet home network takes this long at most, ms. */
const CALM_MS = 3;

/** Makes a network where everything passes. */
export function createNetwork(random: Random): Network {
  const cuts = new Set<Cut>();
  const doors = new Set<Cut>();
  let slowMs = 0;
  return {
    passes: (from, to) => !isNamed(cuts, from, to),
    connects: (from, to) =>
      !isNamed(cuts, from, to) && !isNamed(cuts, to, from) && (from === to || !isNamed(doors, from, to)),
    delay: () => 0.2 + random.next() * CALM_MS + random.next() * slowMs,
    cut: (cut) => {
      cuts.add(cut);
    },
    mend: (cut) => {
      cuts.delete(cut);
    },
    close: (door) => {
      doors.add(door);
    },
    reopen: (door) => {
      doors.delete(door);
    },
    mendAll: () => cuts.clear(),
    slowDown: (ms) => {
      slowMs = ms;
    },
  };
}

function isNamed(cuts: ReadonlySet<Cut>, from: string, to: string): boolean {
  for (const one of cuts) {
    if ((one.from === '*' || one.from === from) && (one.to === '*' || one.to === to)) return true;
  }
  return false;
}
