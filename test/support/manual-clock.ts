/** A clock that advances only when a test says so. */
import { VirtualTimeScheduler } from 'rxjs';
import type { Clock } from '../../src/clock/clock.js';

export interface ManualClock extends Clock {
  /** Advances by this many ms and runs everything that is due meanwhile. */
  pass(ms: number): void;
}

export function createManualClock(): ManualClock {
  const scheduler = new VirtualTimeScheduler(undefined, 0);
  const now = (): number => scheduler.frame;
  return {
    now,
    wall: now,
    scheduler,
    pass: (ms) => {
      const until = scheduler.frame + ms;
      // Something must be due at the very end, or the scheduler stops at the last action before it.
      scheduler.schedule(() => undefined, ms);
      scheduler.maxFrames = until;
      scheduler.flush();
    },
  };
}
