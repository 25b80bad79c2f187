import { map, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { sense, type Sensed } from '../../../src/pipelines/load/sense.js';
import type { LoadSample, ProcessSample, SenseFault } from '../../../src/sense/sense.js';

const sample: LoadSample = { ratio: 0.5, cpus: 2, cpuPercent: 50, memoryPercent: 10, memoryBytes: 1e9 };
/** s: a sample; x and y: two different faults. */
const loads: Readonly<Record<string, LoadSample | SenseFault>> = { s: sample, x: { fault: 'x' }, y: { fault: 'y' } };
/** n: no process; x: a fault. */
const lists: Readonly<Record<string, readonly ProcessSample[] | SenseFault>> = { n: [], x: { fault: 'x' } };

/** s: a sample; n: a list; X and Y: a fault of the load; Z: a fault of the processes. */
function showSensed(sensed: Sensed): string {
  if (sensed.type === 'LoadSampled') return 's';
  if (sensed.type === 'ProcessesListed') return 'n';
  if (sensed.type === 'DiskSampled') return 'd';
  return sensed.sense === 'processes' ? 'Z' : sensed.fault.toUpperCase();
}

function runMarbles(run: (helpers: Parameters<Parameters<TestScheduler['run']>[0]>[0]) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(run);
}

function show(
  load$: Observable<LoadSample | SenseFault>,
  processes$: Observable<readonly ProcessSample[] | SenseFault>,
): Observable<string> {
  return sense({ load$, processes$ }).pipe(map(showSensed));
}

describe('sense', () => {
  it.each<[string, string, string, string]>([
    ['never emits nothing', '           -----', '  ----', '   -----'],
    ['empty completes when both have completed', '--|', '    |', '      --|'],
    ['one of each', '                  s--|', '   -n|', '    sn-|'],
    ['all samples pass, equal ones too', 's-s-s|', ' -n-n|', '  snsns|'],
    ['a lasting fault is reported once', ' xxxx|', '  |', '      X---|'],
    ['a fault is reported again after a good sample', 'xxsxx|', '|', 'X-sX-|'],
    ['another fault is reported at once', 'xxyyx|', '  |', '      X-Y-X|'],
    ['the two sensors fail independently', 'x-x-x|', '-x-x|', 'XZ---|'],
    ['an error is passed on', '             s-#', '    ----', '   s-#'],
    ['it lasts as long as one of them', 's|', '     -n-n-', '  sn-n-'],
  ])('%s', (_title, load, processes, expected) => {
    runMarbles(({ cold, expectObservable }) => {
      const sensed$ = show(cold(load.trim(), loads), cold(processes.trim(), lists));
      expectObservable(sensed$).toBe(expected.trim());
    });
  });

  it('an early unsubscribe reaches both sensors', () => {
    runMarbles(({ cold, expectObservable, expectSubscriptions }) => {
      const load$ = cold('     s-s-s', loads);
      const processes$ = cold('-n-n-', lists);
      const unsubscribe = '    ^--! ';
      expectObservable(show(load$, processes$), unsubscribe).toBe('sns-');
      expectSubscriptions(load$.subscriptions).toBe(unsubscribe.trim());
      expectSubscriptions(processes$.subscriptions).toBe(unsubscribe.trim());
    });
  });

  it('values pass unchanged', () => {
    runMarbles(({ cold, expectObservable }) => {
      expectObservable(sense({ load$: cold('sx|', loads), processes$: cold('--n|', lists) })).toBe('abc|', {
        a: { type: 'LoadSampled', sample },
        b: { type: 'SenseFailed', sense: 'load', fault: 'x' },
        c: { type: 'ProcessesListed', processes: [] },
      });
    });
  });
});
