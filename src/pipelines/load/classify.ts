/**
 * The second stage: gives each load sample the node's trit. It reads the clock and keeps the last state; the decision
 * is the core's. It emits one result per sample and none in between: a change whose hold ends between two samples takes
 * effect with the next one.
 */
import { map, scan, type Observable } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import { stepTrit, type TritRules, type TritState } from '../../core/mesh/trit.js';
import type { Trit } from '../../protocol/messages.js';
import type { LoadSample } from '../../sense/sense.js';

/** A sample with the trit it led to. */
export interface Classified {
  readonly sample: LoadSample;
  readonly trit: Trit;
  /** The trit differs from the one before; true for the first sample. */
  readonly changed: boolean;
  /** A change that is still waiting to hold, for those that display it. */
  readonly state: TritState;
}

/** Classifies each sample as it comes. Every subscription starts from scratch. */
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
    // `scan` only emits what its function returned, which is never undefined.
    map((classified) => classified as Classified),
  );
}

function classifySample(before: Classified | undefined, sample: LoadSample, rules: TritRules, now: number): Classified {
  const state = stepTrit(before?.state, sample.ratio, now, rules);
  return { sample, trit: state.trit, changed: before?.trit !== state.trit, state };
}
