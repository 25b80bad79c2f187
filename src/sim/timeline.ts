/**
 * Virtual time: a heap of things to happen, worked off in order. Nothing here waits; a whole day passes as fast as its events
 * can be computed. Things of the same moment happen in the order in which they were asked for.
 */

/** One thing to happen. */
interface Entry {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
  cancelled: boolean;
}

/** Virtual time, ms since the beginning of the simulation. */
export interface Timeline {
  now(): number;
  /** Lets something happen after a while; gives the function that takes it back. */
  after(delayMs: number, act: () => void): () => void;
  /** Works off what is due up to and at `until`, or until `stop` says so; time stands at `until` then. */
  run(until: number, stop?: () => boolean): void;
  /** Told after each thing that happened. */
  onStep(look: () => void): void;
  readonly steps: number;
}

/** Makes a timeline that stands at 0. */
export function createTimeline(): Timeline {
  const heap: Entry[] = [];
  const lookers: (() => void)[] = [];
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
      for (const look of lookers) look();
      if (stop?.() === true) return;
    }
    now = Math.max(now, until);
  }

  return {
    now: () => now,
    after,
    run,
    onStep: (look) => {
      lookers.push(look);
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
