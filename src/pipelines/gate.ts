/**
 * The gate between deciding and doing: the effects of one subject are done in the order they were decided, and nothing
 * that stands behind a `Persist` is done BEFORE that write is safe. Subjects do not wait for each other. A write that
 * fails is tried again until it succeeds; what stands behind it waits so long.
 */
import type { Clock } from '../clock/clock.js';
import type { Effect } from '../core/effects.js';
import type { Journal } from '../journal/journal.js';

/** What a gate is made of. */
export interface GateParts {
  readonly journal: Journal;
  readonly clock: Clock;
  perform(subject: string, effect: Exclude<Effect, { type: 'Persist' }>): void;
  /** Told when the journal stops and starts being able to write. */
  faulty(fault: string | undefined): void;
}

/** Takes decided effects in. */
export interface Gate {
  take(subject: string, effects: readonly Effect[]): void;
  /** Calls back once everything that was decided for a subject so far is done. */
  after(subject: string, done: () => void): void;
  /** Whether something that was decided is not done yet. */
  isBusy(): boolean;
  close(): void;
}

const WRITE_RETRY_MS = 1000;

type Queue = (Effect | (() => void))[];

/** Makes a gate. */
export function createGate(parts: GateParts): Gate {
  const queues = new Map<string, Queue>();
  let closed = false;
  let failing = false;

  function take(subject: string, effects: Readonly<Queue>): void {
    if (effects.length === 0 || closed) return;
    const queue = queues.get(subject);
    if (queue !== undefined) {
      queue.push(...effects);
      return;
    }
    const fresh = [...effects];
    queues.set(subject, fresh);
    work(subject, fresh);
  }

  function work(subject: string, queue: Queue): void {
    for (let effect = queue.shift(); effect !== undefined; effect = queue.shift()) {
      if (typeof effect === 'function') {
        effect();
        continue;
      }
      if (effect.type === 'Persist') {
        write(subject, queue, effect.key, effect.value);
        return;
      }
      parts.perform(subject, effect);
    }
    queues.delete(subject);
  }

  function write(subject: string, queue: Queue, key: string, value: unknown): void {
    parts.journal.write([{ key, value }], (error) => {
      if (closed) return;
      note(error);
      if (error === undefined) work(subject, queue);
      else parts.clock.scheduler.schedule(() => !closed && write(subject, queue, key, value), WRITE_RETRY_MS);
    });
  }

  function note(error: Error | undefined): void {
    if (failing === (error !== undefined)) return;
    failing = error !== undefined;
    parts.faulty(error?.message);
  }

  return {
    take,
    after: (subject, done) => take(subject, [done]),
    isBusy: () => queues.size > 0,
    close: () => {
      closed = true;
      queues.clear();
    },
  };
}
