/**
 * Virtual time: scheduled actions, ordered by time, then by when they were scheduled. Also the only source of chance.
 */

/** A list of scheduled actions. Times in ms. */
export interface Timeline {
  now(): number;
  after(ms: number, act: () => void): void;
  /** Runs actions until none is left, `isOver` returns true, or the next one is later than `untilMs`. */
  run(untilMs: number, isOver: () => boolean): void;
}

interface ScheduledAction {
  readonly at: number;
  readonly act: () => void;
}

export function createTimeline(): Timeline {
  const scheduled: ScheduledAction[] = [];
  let now = 0;

  function after(ms: number, act: () => void): void {
    const at = now + Math.max(0, ms);
    let low = 0;
    let high = scheduled.length;
    // The list is sorted from last to first, so that removing the next action is cheap.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((scheduled[middle]?.at ?? 0) > at) low = middle + 1;
      else high = middle;
    }
    scheduled.splice(low, 0, { at, act });
  }

  function run(untilMs: number, isOver: () => boolean): void {
    while (!isOver()) {
      const next = scheduled.at(-1);
      if (next === undefined || next.at > untilMs) break;
      scheduled.pop();
      now = next.at;
      next.act();
    }
    if (!isOver()) now = Math.max(now, untilMs);
  }

  return { now: () => now, after, run };
}

/** Random integers from 0 to `max`, determined by a seed (mulberry32). */
export function createChance(seed: number): (max: number) => number {
  let state = seed >>> 0;
  return (max) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * (max + 1));
  };
}
