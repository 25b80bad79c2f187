/**
 * Orders and batches writes: everything requested in one tick, or while a write is under way, goes into the next write
 * together, in the order of the requests. It stores nothing itself.
 */
import { toError } from '../os/errors.js';
import type { StoredChange } from './journal-text.js';

/** Stores changes atomically; rejects if they may not have been stored. */
type Store = (changes: readonly StoredChange[]) => Promise<void>;

/** A queue in front of a store. */
export interface WriteQueue {
  /** Adds changes; `done` is called when they are stored, never before this call returns. */
  add(changes: readonly StoredChange[], done: (error?: Error) => void): void;
  /** Runs a task alone: after everything added before was tried, and before anything added later. Must not reject. */
  addTask(task: () => Promise<void>): void;
}

interface Write {
  readonly changes: readonly StoredChange[];
  readonly done: (error?: Error) => void;
}
type Waiting = Write | { readonly task: () => Promise<void> };

/** Creates an empty queue in front of `store`. */
export function createWriteQueue(store: Store): WriteQueue {
  const waiting: Waiting[] = [];
  let isBusy = false;

  function wake(): void {
    if (isBusy || waiting.length === 0) return;
    isBusy = true;
    // A microtask runs after the current tick's work, which makes everything requested in that tick one write.
    queueMicrotask(() => void runNext());
  }

  async function runNext(): Promise<void> {
    const first = waiting[0];
    if (first !== undefined && 'task' in first) {
      waiting.shift();
      await first.task();
    } else {
      await storeRound(takeWrites(waiting));
    }
    isBusy = false;
    wake();
  }

  async function storeRound(round: readonly Write[]): Promise<void> {
    const error = await tryStore(
      store,
      round.flatMap((write) => write.changes),
    );
    // Each in a separate microtask: one that throws crashes the program, as it should, and blocks no other.
    for (const { done } of round) queueMicrotask(() => (error === undefined ? done() : done(error)));
  }

  return {
    add(changes, done) {
      waiting.push({ changes, done });
      wake();
    },
    addTask(task) {
      waiting.push({ task });
      wake();
    },
  };
}

/** Takes the writes from the front, up to the first task. */
function takeWrites(waiting: Waiting[]): readonly Write[] {
  const end = waiting.findIndex((one) => 'task' in one);
  return waiting.splice(0, end === -1 ? waiting.length : end).filter((one) => 'changes' in one);
}

async function tryStore(store: Store, changes: readonly StoredChange[]): Promise<Error | undefined> {
  if (changes.length === 0) return undefined;
  try {
    await store(changes);
    return undefined;
  } catch (error) {
    return toError(error);
  }
}
