/**
 * The status stage: the status of an item that ends is published at once, that of a living item once it has lasted a
 * moment, so a short job does not cost five messages. It also removes old statuses from the bus.
 */
import type { Subscription } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import type { Publish } from '../../core/effects.js';
import { isSettled } from '../../core/owner/owned-item.js';
import { STATUSES_RETAINED_MAX } from '../../protocol/limits.js';
import type { Phase } from '../../protocol/status.js';
import type { Publisher } from './publisher.js';

type PublishStatus = Extract<Publish, { kind: 'status' }>;

/** Publishes statuses, and limits how many stay retained. */
export interface StatusBoard {
  handle(message: PublishStatus): void;
  close(): void;
}

/** The status of a living item is published once it has lasted this long, ms. */
const COALESCE_MS = 100;
/** If it changes ever again, the newest one is published after this time, ms. */
const WAIT_MS_MAX = 1000;

/** Creates the board of an owner. `keptMs`: how long the status of an ended item stays on the bus. */
export function createStatusBoard(owner: string, publisher: Publisher, clock: Clock, keptMs: number): StatusBoard {
  /** What may still change, with the time at which it is published in any case, monotonic ms. */
  const waiting = new Map<
    string,
    { readonly message: PublishStatus; readonly timer: Subscription; readonly until: number }
  >();
  /** Retained topics, oldest first, with the timer that clears those of ended items. */
  const retained = new Map<string, Subscription | undefined>();
  /** The last status of each living item that found no place among the retained ones, oldest first. */
  const unretained = new Map<string, PublishStatus>();

  function handle(message: PublishStatus): void {
    const { item } = message.topic;
    const pending = waiting.get(item);
    pending?.timer.unsubscribe();
    if (isEnd(message.body.phase)) {
      waiting.delete(item);
      return publishNow(message);
    }
    const now = clock.now();
    const until = pending?.until ?? now + WAIT_MS_MAX;
    const delay = Math.min(COALESCE_MS, Math.max(0, until - now));
    waiting.set(item, { message, until, timer: clock.scheduler.schedule(() => flush(item), delay) });
  }

  function flush(item: string): void {
    const pending = waiting.get(item);
    waiting.delete(item);
    if (pending !== undefined) publishNow(pending.message);
  }

  function publishNow(message: PublishStatus): void {
    const { item } = message.topic;
    const keep = retained.has(item) || retained.size < STATUSES_RETAINED_MAX || dropOldest();
    publisher.publish(message, keep);
    unretained.delete(item);
    if (!keep) {
      if (!isSettled(message.body.phase)) unretained.set(item, message);
      return;
    }
    retained.get(item)?.unsubscribe();
    // A lost item waits for a person, who must be able to see it.
    const timer = isSettled(message.body.phase) ? clock.scheduler.schedule(() => expire(item), keptMs) : undefined;
    retained.delete(item);
    retained.set(item, timer);
  }

  /** Makes room by clearing the status that ended first. A living item's status is never removed. */
  function dropOldest(): boolean {
    for (const [item, timer] of retained) {
      if (timer === undefined) continue;
      timer.unsubscribe();
      clear(item);
      return true;
    }
    return false;
  }

  function clear(item: string): void {
    retained.delete(item);
    publisher.clearRetained({ kind: 'status', owner, item });
  }

  /** A retained status has expired: its place goes to an item that had none. */
  function expire(item: string): void {
    clear(item);
    const [next] = unretained.values();
    if (next !== undefined) publishNow(next);
  }

  return {
    handle,
    close: () => {
      for (const { timer } of waiting.values()) timer.unsubscribe();
      for (const timer of retained.values()) timer?.unsubscribe();
    },
  };
}

function isEnd(phase: Phase): boolean {
  return isSettled(phase) || phase === 'lost';
}
