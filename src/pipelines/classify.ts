/**
 * The second stage: each load sample gets the node's trit. It reads the clock and keeps the last state; the decision
 * itself is core's. It says every sample, changed or not, and makes none of its own: a change whose hold runs out between
 * two samples is seen with the next one.
 */
import { map, scan, type Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { stepTrit, type TritRules, type TritState } from '../core/trit.js';
import type { Trit } from '../protocol/messages.js';
import type { LoadSample } from '../sense/sense.js';

/** A sample with the trit it led to. */
export interface Classified {
  readonly sample: LoadSample;
  readonly trit: Trit;
  /** The trit is another than before; true for the first sample. */
  readonly changed: boolean;
  /** The change that is waiting to hold, for those who show it. */
  readonly state: TritState;
}

/** Classifies each sample when it comes. Every subscription begins anew. */
export function classify(
  load$: Observable<LoadSample>,
  rules: TritRules,
  clock: Pick<Clock, 'now'>,
): Observable<Classified> {
  return load$.pipe(
    scan(
      (before: Classified | undefined, sample) => classifySample(before, sample, rules, clock.now()),
      undefined as Classified | undefined,
    ),
    // `scan` only emits what its function gave, which is never undefined.
    map((classified) => classified as Classified),
  );
}

function classifySample(before: Classified | undefined, sample: LoadSample, rules: TritRules, now: number): Classified {
  const state = stepTrit(before?.state, sample.ratio, now, rules);
  return { sample, trit: state.trit, changed: before?.trit !== state.trit, state };
}
