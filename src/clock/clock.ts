/**
 * The port to time. Everything that waits or measures uses it, which lets the simulator control time.
 */
import type { Observable, SchedulerLike } from 'rxjs';

/** Time, as a node sees it. */
export interface Clock {
  /**
   * Milliseconds on a clock that never goes back, is always finite, and includes the time for which the machine was
   * seen to sleep. Leases are measured with it. It means nothing to another process.
   */
  now(): number;
  /** Wall clock, milliseconds since 1970, to be shown to people only. */
  wall(): number;
  /** The scheduler for RxJS operators. */
  readonly scheduler: SchedulerLike;
  /** A sentence for each source of time that is ignored because it failed, the first time it fails. */
  readonly faults$?: Observable<string> | undefined;
}
