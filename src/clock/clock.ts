/**
 * The port of time. Everything that waits or measures goes through it, so that the simulator can own time.
 */
import type { Observable, SchedulerLike } from 'rxjs';

/** Time, as a node sees it. */
export interface Clock {
  /**
   * Milliseconds on a clock that never goes back, is always a finite number, and counts sleep of the machine that it has seen: leases
   * are measured with it. It means nothing to another process.
   */
  now(): number;
  /** Wall clock, milliseconds since 1970: for people only. */
  wall(): number;
  /** What RxJS operators take as their scheduler. */
  readonly scheduler: SchedulerLike;
  /** A sentence for each source of time that failed and is ignored, the first time that it does. */
  readonly faults$?: Observable<string> | undefined;
}
