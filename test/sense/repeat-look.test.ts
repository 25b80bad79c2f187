import { EMPTY, map, NEVER, of, throwError, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { repeatSample } from '../../src/sense/repeat-look.js';

function runMarbles(
  run: (helpers: Parameters<Parameters<TestScheduler['run']>[0]>[0], scheduler: TestScheduler) => void,
): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  scheduler.run((helpers) => run(helpers, scheduler));
}
const times = { secondMs: 2, everyMs: 5 };
const UNTIL = '              -------------!';
const fault = { f: { fault: 'broken' } };

describe('repeatLook', () => {
  it('looks at once, soon again, and then at its interval, with the time of each look', () => {
    runMarbles(({ expectObservable }, scheduler) => {
      const looked$ = repeatSample({ now: () => scheduler.now(), scheduler }, times, (now) => of(now));
      expectObservable(looked$, UNTIL.trim()).toBe('a-b----c----d', { a: 0, b: 2, c: 7, d: 12 });
    });
  });

  it('a short interval is not lengthened by the second look', () => {
    runMarbles(({ expectObservable }, scheduler) => {
      const looked$ = repeatSample({ now: () => 0, scheduler }, { secondMs: 500, everyMs: 3 }, () => of('a'));
      expectObservable(looked$, UNTIL.trim()).toBe('a--a--a--a--a');
    });
  });

  it('a look that fails, or throws, is a fault and the next one follows', () => {
    runMarbles(({ expectObservable }, scheduler) => {
      let looks = 0;
      const looked$ = repeatSample({ now: () => 0, scheduler }, times, () => {
        looks += 1;
        if (looks === 1) throw new Error('broken');
        return looks === 2 ? throwError(() => new Error('broken')) : of({ fault: 'none' });
      });
      expectObservable(looked$, UNTIL.trim()).toBe('f-f----a----a', { ...fault, a: { fault: 'none' } });
    });
  });

  it('a look that gives nothing is passed over', () => {
    runMarbles(({ expectObservable }, scheduler) => {
      const looked$ = repeatSample({ now: () => scheduler.now(), scheduler }, times, (now) =>
        now < 5 ? EMPTY : of('a'),
      );
      expectObservable(looked$, UNTIL.trim()).toBe('-------a----a');
    });
  });

  it('a slow look is waited for, and those due meanwhile are left out', () => {
    runMarbles(({ expectObservable }, scheduler) => {
      const look = (now: number) => timer(6, scheduler).pipe(map(() => now));
      expectObservable(
        repeatSample({ now: () => scheduler.now(), scheduler }, times, look),
        '-----------------------!',
      ).toBe('------a------b', { a: 0, b: 7 });
    });
  });

  it('a look that never ends holds up the others, and an unsubscribe ends it', () => {
    runMarbles(({ cold, expectObservable, expectSubscriptions }, scheduler) => {
      const never$ = cold('-');
      expectObservable(
        repeatSample({ now: () => 0, scheduler }, times, () => never$),
        UNTIL.trim(),
      ).toBe('');
      expectSubscriptions(never$.subscriptions).toBe('^------------!');
    });
  });

  it('every subscription looks by itself', () => {
    runMarbles(({ expectObservable }, scheduler) => {
      const looked$ = repeatSample({ now: () => 0, scheduler }, { secondMs: 2, everyMs: 50 }, () => of('a'));
      expectObservable(looked$, '-----!').toBe('a-a');
      expectObservable(looked$, '---^----!').toBe('---a-a');
      expectObservable(NEVER, '!').toBe('');
    });
  });
});
