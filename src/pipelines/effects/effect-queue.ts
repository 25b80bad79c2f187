/**
 * The queue between deciding and doing. The effects of one subject are performed in the order in which they were
 * decided, and nothing behind a `Persist` is performed BEFORE that write is safe. Subjects do not wait for each other.
 * A failed write is retried until it succeeds, and everything behind it waits for that long.
 */
import type { Clock } from '../../clock/clock.js';
import type { Effect } from '../../core/effects.js';
import type { Journal } from '../../journal/journal.js';

/** What an effect queue needs. */
export interface EffectQueueDeps {
  readonly journal: Journal;
  readonly clock: Clock;
  perform(subject: string, effect: Exclude<Effect, { type: 'Persist' }>): void;
  /** Called when the journal can no longer be written, and with `undefined` when it can be again. */
  onFault(fault: string | undefined): void;
}

/** Accepts decided effects and performs them in order. */
export interface EffectQueue {
  enqueue(subject: string, effects: readonly Effect[]): void;
  /** Calls back once everything decided for a subject so far has been performed. */
  after(subject: string, done: () => void): void;
  /** Whether any decided effect has not been performed yet. */
  isBusy(): boolean;
  close(): void;
}

const WRITE_RETRY_MS = 1000;

type Queue = (Effect | (() => void))[];

/** Creates an empty queue. */
export function createEffectQueue(deps: EffectQueueDeps): EffectQueue {
  const queues = new Map<string, Queue>();
  let isClosed = false;
  let isFailing = false;

  function enqueue(subject: string, effects: Readonly<Queue>): void {
    if (effects.length === 0 || isClosed) return;
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
      deps.perform(subject, effect);
    }
    queues.delete(subject);
  }

  function write(subject: string, queue: Queue, key: string, value: unknown): void {
    deps.journal.write([{ key, value }], (error) => {
      if (isClosed) return;
      reportFault(error);
      if (error === undefined) work(subject, queue);
      else deps.clock.scheduler.schedule(() => !isClosed && write(subject, queue, key, value), WRITE_RETRY_MS);
    });
  }

  function reportFault(error: Error | undefined): void {
    if (isFailing === (error !== undefined)) return;
    isFailing = error !== undefined;
    deps.onFault(error?.message);
  }

  return {
    enqueue,
    after: (subject, done) => enqueue(subject, [done]),
    isBusy: () => queues.size > 0,
    close: () => {
      isClosed = true;
      queues.clear();
    },
  };
}
