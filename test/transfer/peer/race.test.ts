import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { raceConnect, type RaceEnd } from '../../../src/transfer/peer/race.js';

/** What each address does: `ok` or `fail` after so many ms; `dead` never. */
type Course = { readonly after: number; readonly ok: boolean } | 'dead';

function run(courses: Readonly<Record<string, Course>>) {
  const begun: [string, number][] = [];
  const ended: string[] = [];
  const ends: RaceEnd<string>[] = [];
  const start = Date.now();
  const stop = raceConnect<string>(
    Object.keys(courses),
    (url, done) => {
      begun.push([url, Date.now() - start]);
      const course = courses[url] ?? 'dead';
      const told = (): void => (course !== 'dead' && course.ok ? done(null, `at ${url}`) : done(new Error('no')));
      const timer = course === 'dead' ? undefined : setTimeout(told, course.after);
      return () => {
        clearTimeout(timer);
        ended.push(url);
      };
    },
    250,
    (end) => ends.push(end),
  );
  return { begun, ended, ends, stop };
}

describe('a race of addresses', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is won by the first good one; dead ones before it cost a step each, and are ended', () => {
    const race = run({ a: 'dead', b: 'dead', c: { after: 10, ok: true }, d: 'dead' });
    vi.advanceTimersByTime(5000);
    expect(race.ends).toEqual([{ ok: true, url: 'c', made: 'at c' }]);
    expect(race.begun).toEqual([
      ['a', 0],
      ['b', 250],
      ['c', 500],
    ]);
    expect(race.ended).toEqual(['a', 'b']);
  });

  it('begins the next at once when one has failed', () => {
    const race = run({ a: { after: 5, ok: false }, b: { after: 5, ok: true } });
    vi.advanceTimersByTime(5000);
    expect(race.begun).toEqual([
      ['a', 0],
      ['b', 5],
    ]);
    expect(race.ends).toEqual([{ ok: true, url: 'b', made: 'at b' }]);
  });

  it('lets a slow first one win while later ones are tried', () => {
    const race = run({ a: { after: 600, ok: true }, b: { after: 500, ok: false }, c: 'dead' });
    vi.advanceTimersByTime(5000);
    expect(race.ends).toEqual([{ ok: true, url: 'a', made: 'at a' }]);
    expect(race.ended).toEqual(['b', 'c']);
  });

  it('is lost when the last one has failed, and tells of each', () => {
    const race = run({ a: { after: 900, ok: false }, b: { after: 5, ok: false } });
    vi.advanceTimersByTime(5000);
    expect(race.ends).toEqual([{ ok: false, faults: ['b', 'a'].map((url) => ({ url, error: new Error('no') })) }]);
  });

  it('tells nothing once it was called off', () => {
    const race = run({ a: { after: 300, ok: true }, b: { after: 300, ok: true } });
    vi.advanceTimersByTime(260);
    race.stop();
    vi.advanceTimersByTime(5000);
    expect(race.ends).toEqual([]);
    expect(race.ended).toEqual(['a', 'b']);
  });
});
