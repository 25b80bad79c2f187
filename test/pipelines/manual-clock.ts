/** A clock that stands still until the test lets time pass. */
import { VirtualTimeScheduler } from 'rxjs';
import type { Clock } from '../../src/clock/clock.js';

export interface ManualClock extends Clock {
  /** Lets this many ms pass, and all that is due in them happen. */
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
      // Something must be due at the very end, or the scheduler stops at the last thing before it.
      scheduler.schedule(() => undefined, ms);
      scheduler.maxFrames = until;
      scheduler.flush();
    },
  };
}
