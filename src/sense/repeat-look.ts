/**
 * Takes samples periodically on the clock of the node. A failed sample is reported and the next one follows. Samples
 * never pile up: those due while another one is still being taken are skipped.
 */
import { catchError, defer, exhaustMap, merge, of, timer, type Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { describeError } from '../os/errors.js';
import type { SenseFault } from './sense.js';

/** When to sample: at once, after `secondMs`, and from then on every `everyMs`. Both in milliseconds. */
export interface SampleTimes {
  /** Shares need two samples. The second one may follow soon, so a node need not wait long for its first result. */
  readonly secondMs: number;
  readonly everyMs: number;
}

/** Emits the samples, and a fault for each one that failed. Never completes, never errors. */
export function repeatSample<T>(
  clock: Pick<Clock, 'now' | 'scheduler'>,
  times: SampleTimes,
  look: (now: number) => Observable<T>,
): Observable<T | SenseFault> {
  const { secondMs, everyMs } = times;
  const due$ = merge(timer(0, clock.scheduler), timer(Math.min(secondMs, everyMs), everyMs, clock.scheduler));
  // exhaustMap: a sample in progress continues, and those that become due meanwhile are skipped.
  return due$.pipe(exhaustMap(() => defer(() => look(clock.now())).pipe(catchError(reportFault))));
}

function reportFault(error: unknown): Observable<SenseFault> {
  return of({ fault: describeError(error) });
}
