/**
 * Looks again and again on the node's clock. A look that fails is said and the next one follows; a look that takes
 * longer than the interval is waited for, and the looks that fell due meanwhile are left out, so that they never pile
 * up.
 */
import { catchError, defer, exhaustMap, merge, of, timer, type Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { describeError } from '../os/errors.js';
import type { SenseFault } from './sense.js';

/** When to look: at once, after `secondMs`, and from then on every `everyMs`. */
export interface SampleTimes {
  /** Shares need two looks: the second may follow soon, so that a node need not wait long for its first sample. */
  readonly secondMs: number;
  readonly everyMs: number;
}

/** What the looks give, and a fault for each that failed; never ends, never errors. */
export function repeatSample<T>(
  clock: Pick<Clock, 'now' | 'scheduler'>,
  times: SampleTimes,
  look: (now: number) => Observable<T>,
): Observable<T | SenseFault> {
  const { secondMs, everyMs } = times;
  const due$ = merge(timer(0, clock.scheduler), timer(Math.min(secondMs, everyMs), everyMs, clock.scheduler));
  // exhaustMap: a look under way goes on, those due meanwhile are left out.
  return due$.pipe(exhaustMap(() => defer(() => look(clock.now())).pipe(catchError(reportFault))));
}

function reportFault(error: unknown): Observable<SenseFault> {
  return of({ fault: describeError(error) });
}
