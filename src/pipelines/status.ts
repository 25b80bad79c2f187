/**
 * The status stage: an item's status is said when it ends, at once; while it lives, the newest is said after a short while,
 * so that a job of a few milliseconds does not cost five messages. It also takes old statuses off the bus.
 */
import type { Subscription } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import type { Say } from '../core/effects.js';
import { isSettled } from '../core/owner/owned-item.js';
import { STATUSES_RETAINED_MAX } from '../protocol/limits.js';
import type { Phase } from '../protocol/status.js';
import type { Speaker } from './say.js';

type SayStatus = Extract<Say, { kind: 'status' }>;

/** Says statuses. */
export interface StatusBoard {
  take(message: SayStatus): void;
  close(): void;
}

/** How long a living item's status may wait for a newer one, ms. */
const GATHER_MS = 100;

/** Makes the board of an owner; `keptMs` is how long the status of an ended item stays on the bus. */
export function createStatusBoard(owner: string, speaker: Speaker, clock: Clock, keptMs: number): StatusBoard {
  const waiting = new Map<string, { message: SayStatus; readonly timer: Subscription }>();
  /** Retained topics, oldest first, with the timer that clears the ended ones. */
  const retained = new Map<string, Subscription | undefined>();
  /** The last status of each living item for which there is no room on the bus, oldest first. */
  const unkept = new Map<string, SayStatus>();

  function take(message: SayStatus): void {
    const { item } = message.topic;
    const pending = waiting.get(item);
    if (isEnd(message.body.phase)) {
      pending?.timer.unsubscribe();
      waiting.delete(item);
      return sayNow(message);
    }
    if (pending === undefined) {
      waiting.set(item, { message, timer: clock.scheduler.schedule(() => flush(item), GATHER_MS) });
    } else {
      pending.message = message;
    }
  }

  function flush(item: string): void {
    const pending = waiting.get(item);
    waiting.delete(item);
    if (pending !== undefined) sayNow(pending.message);
  }

  function sayNow(message: SayStatus): void {
    const { item } = message.topic;
    const keep = retained.has(item) || retained.size < STATUSES_RETAINED_MAX || dropOldest();
    speaker.say(message, keep);
    unkept.delete(item);
    if (!keep) {
      if (!isSettled(message.body.phase)) unkept.set(item, message);
      return;
    }
    retained.get(item)?.unsubscribe();
    // A lost item waits for a person, who must be able to see it.
    const clear = isSettled(message.body.phase) ? clock.scheduler.schedule(() => expire(item), keptMs) : undefined;
    retained.delete(item);
    retained.set(item, clear);
  }

  /** Makes room by clearing the status that ended first; a living item's status is never taken off. */
  function dropOldest(): boolean {
    for (const [item, clear] of retained) {
      if (clear === undefined) continue;
      clear.unsubscribe();
      unsay(item);
      return true;
    }
    return false;
  }

  function unsay(item: string): void {
    retained.delete(item);
    speaker.unsay({ kind: 'status', owner, item });
  }

  /** A status is no longer to be kept: there is room for one that had none. */
  function expire(item: string): void {
    unsay(item);
    const [next] = unkept.values();
    if (next !== undefined) sayNow(next);
  }

  return {
    take,
    close: () => {
      for (const { timer } of waiting.values()) timer.unsubscribe();
      for (const clear of retained.values()) clear?.unsubscribe();
    },
  };
}

function isEnd(phase: Phase): boolean {
  return isSettled(phase) || phase === 'lost';
}
