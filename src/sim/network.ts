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
  /** Milliseconds that the next packet takes. */
  delay(): number;
  cut(cut: Cut): void;
  mend(cut: Cut): void;
  mendAll(): void;
  /** Makes every packet slower by up to this, ms. */
  slowDown(ms: number): void;
}

/** A packet on a quiet home network takes this long at most, ms. */
const CALM_MS = 3;

/** Makes a network where everything passes. */
export function createNetwork(random: Random): Network {
  const cuts = new Set<Cut>();
  let slowMs = 0;
  return {
    passes: (from, to) => {
      for (const one of cuts) {
        if ((one.from === '*' || one.from === from) && (one.to === '*' || one.to === to)) return false;
      }
      return true;
    },
    delay: () => 0.2 + random.next() * CALM_MS + random.next() * slowMs,
    cut: (cut) => {
      cuts.add(cut);
    },
    mend: (cut) => {
      cuts.delete(cut);
    },
    mendAll: () => cuts.clear(),
    slowDown: (ms) => {
      slowMs = ms;
    },
  };
}
