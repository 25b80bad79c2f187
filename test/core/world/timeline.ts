/** Virtual time: what is to happen later, in order of its moment, then of its asking. Also the one source of chance. */

/** A list of things to come. */
export interface Timeline {
  now(): number;
  after(ms: number, happen: () => void): void;
  /** Goes on until nothing is left, `isOver` says so, or the moment `untilMs` has come. */
  run(untilMs: number, isOver: () => boolean): void;
}

interface Happening {
  readonly at: number;
  readonly happen: () => void;
}

export function createTimeline(): Timeline {
  const coming: Happening[] = [];
  let now = 0;

  function after(ms: number, happen: () => void): void {
    const at = now + Math.max(0, ms);
    let low = 0;
    let high = coming.length;
    // The list is kept from the last moment to the first, so that taking the next one off is cheap.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((coming[middle]?.at ?? 0) > at) low = middle + 1;
      else high = middle;
    }
    coming.splice(low, 0, { at, happen });
  }

  function run(untilMs: number, isOver: () => boolean): void {
    while (!isOver()) {
      const next = coming.at(-1);
      if (next === undefined || next.at > untilMs) break;
      coming.pop();
      now = next.at;
      next.happen();
    }
    if (!isOver()) now = Math.max(now, untilMs);
  }

  return { now: () => now, after, run };
}

/** Chance from a seed (mulberry32): gives whole numbers from 0 to `max`. */
export function createChance(seed: number): (max: number) => number {
  let state = seed >>> 0;
  return (max) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * (max + 1));
  };
}
