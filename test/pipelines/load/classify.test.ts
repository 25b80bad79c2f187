import { map, NEVER, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TRIT_RULES } from '../../../src/core/mesh/trit.js';
import { classify, type Classified } from '../../../src/pipelines/load/classify.js';
import type { LoadSample } from '../../../src/sense/sense.js';

/** One frame of a marble is a millisecond: a change into PLUS or ERGODIC holds 5 frames, one into MINUS 10. */
const rules = { ...DEFAULT_TRIT_RULES, plusHoldMs: 5, ergodicHoldMs: 5, minusHoldMs: 10 };

/** p: above 0.8; e: between; m: below 0.3. */
const samples: Readonly<Record<string, LoadSample>> = { p: load(0.9), e: load(0.5), m: load(0.1) };

function load(ratio: number): LoadSample {
  return { ratio, cpus: 2, cpuPercent: 50, memoryPercent: 10, memoryBytes: 1e9 };
}

/** Shows the trit as P, E or M, and in lower case where it did not change. */
function showTrit({ trit, changed }: Classified): string {
  const letter = trit === 1 ? 'P' : trit === 0 ? 'E' : 'M';
  return changed ? letter : letter.toLowerCase();
}

function runMarbles(run: (helpers: Parameters<Parameters<TestScheduler['run']>[0]>[0], show: Show) => void): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  const clock = { now: (): number => scheduler.now() };
  scheduler.run((helpers) => run(helpers, (load$) => classify(load$, rules, clock).pipe(map(showTrit))));
}
type Show = (load$: Observable<LoadSample>) => Observable<string>;

describe('classify', () => {
  it.each<[string, string, string, string]>([
    ['never emits nothing', '       -', '              ^', '              -'],
    ['empty completes', '               --|', '            ^-!', '            --|'],
    ['one sample is classified at once', 'p|', '         ^!', '             P|'],
    ['five frames lead into PLUS', ' eppppppe|', '       ^-------!', '      EeeeeePp|'],
    ['ten frames lead into MINUS', ' emmmmmmmmmmm|', '   ^-----------!', '  EeeeeeeeeeeM|'],
    ['a change that does not hold does not count', 'peeeepee|', ' ^-------!', '    Pppppppp|'],
    ['an error is passed on', '          pe#', '            ^-!', '            Pp#'],
    ['it lasts as long as its source', 'p-p-p-', '     ^-----', '         P-p-p-'],
  ])('%s', (_title, source, subscriptions, expected) => {
    runMarbles(({ cold, expectObservable, expectSubscriptions }, show) => {
      const load$ = cold(source.trim(), samples);
      expectObservable(show(load$)).toBe(expected.trim());
      expectSubscriptions(load$.subscriptions).toBe(subscriptions.trim());
    });
  });

  it('a hold that runs out between two samples is seen with the next one', () => {
    runMarbles(({ cold, expectObservable }, show) => {
      expectObservable(show(cold('ep 20ms p|', samples))).toBe('      Ee 20ms P|');
    });
  });

  it('an early unsubscribe reaches the source', () => {
    runMarbles(({ cold, expectObservable, expectSubscriptions }, show) => {
      const load$ = cold('   p-p-p-p', samples);
      const unsubscribe = '  ^--!   ';
      expectObservable(show(load$), unsubscribe).toBe('P-p-');
      expectSubscriptions(load$.subscriptions).toBe(unsubscribe.trim());
    });
  });

  it('every subscription starts from scratch', () => {
    runMarbles(({ cold, expectObservable }, show) => {
      const shown$ = show(cold('p-p|', samples));
      expectObservable(shown$).toBe('         P-p|');
      expectObservable(shown$, '---^').toBe('         ---P-p|');
    });
  });

  it('the sample and the waiting change come along', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ cold, expectObservable }) => {
      const classified$ = classify(cold('ep', samples), rules, { now: () => scheduler.now() });
      expectObservable(classified$).toBe('ab', {
        a: { sample: load(0.5), trit: 0, changed: true, state: { trit: 0 } },
        b: {
          sample: load(0.9),
          trit: 0,
          changed: false,
          state: { trit: 0, candidate: 1, candidateSince: 1, awaySince: 1 },
        },
      });
    });
  });

  it('a source that never emits holds no timer', () => {
    runMarbles(({ expectObservable }, show) => expectObservable(show(NEVER)).toBe(''));
  });
});
