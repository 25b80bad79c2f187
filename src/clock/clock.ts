/**
 * The port of time. Everything that waits or measures goes through it, so that the simulator can own time.
 */
import type { SchedulerLike } from 'rxjs';

/** Time, as a node sees it. */
export interface Clock {
  /**
   * Milliseconds on a clock that never goes back and counts on while the machine sleeps (CLOCK_BOOTTIME): leases are
   * measured with it. Comparable between processes of one boot of the machine, not beyond.
   */
  now(): number;
  /** Wall clock, milliseconds since 1970: for people only. */
  wall(): number;
  /** What RxJS operators take as their scheduler. */
  readonly scheduler: SchedulerLike;
}
