/**
 * Virtual time: a heap of scheduled actions that run in order. Nothing waits: a day passes as fast as its events can be
 * computed. Actions due at the same time run in the order in which they were scheduled.
 */

/** A scheduled action. */
interface Entry {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
  cancelled: boolean;
}

/** Virtual time, ms since the beginning of the simulation. */
export interface Timeline {
  now(): number;
  /** Schedules an action and returns the function that cancels it. A negative delay counts as 0. */
  after(delayMs: number, act: () => void): () => void;
  /**
   * Runs what is due up to and including `until`, or until `stop` returns true. Unless stopped, time is `until` then.
   */
  run(until: number, stop?: () => boolean): void;
  /** Adds an observer, called after each action. */
  onStep(observe: () => void): void;
  readonly steps: number;
}

/** Creates a timeline at time 0. */
export function createTimeline(): Timeline {
  const heap: Entry[] = [];
  const observers: (() => void)[] = [];
  let now = 0;
  let order = 0;
  let steps = 0;

  function after(delayMs: number, act: () => void): () => void {
    order += 1;
    const entry: Entry = { at: now + Math.max(0, delayMs), order, act, cancelled: false };
    push(heap, entry);
    return () => {
      entry.cancelled = true;
    };
  }

  function run(until: number, stop?: () => boolean): void {
    for (let entry = heap[0]; entry !== undefined && entry.at <= until; entry = heap[0]) {
      pop(heap);
      if (entry.cancelled) continue;
      now = entry.at;
      steps += 1;
      entry.act();
      for (const observe of observers) observe();
      if (stop?.() === true) return;
    }
    now = Math.max(now, until);
  }

  return {
    now: () => now,
    after,
    run,
    onStep: (observe) => {
      observers.push(observe);
    },
    get steps() {
      return steps;
    },
  };
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(entry, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const child = smallerChild(heap, at);
    const below = heap[child];
    if (below === undefined || !isBefore(below, last)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
}

function smallerChild(heap: readonly Entry[], at: number): number {
  const left = 2 * at + 1;
  const [a, b] = [heap[left], heap[left + 1]];
  return a !== undefined && b !== undefined && isBefore(b, a) ? left + 1 : left;
}
