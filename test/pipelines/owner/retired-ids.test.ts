/** Retired ids: known as long as a request for them may be repeated, and no longer. */
import { expect, it } from 'vitest';
import { createRetiredIds, type RetiredIdsDeps } from '../../../src/pipelines/owner/retired-ids.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

const KEPT_MS = 10 * 60 * 1000;

function depsOf(clock: ManualClock, journal: Map<string, number> = new Map()): RetiredIdsDeps {
  return {
    running: clock.now,
    restored: new Map(journal),
    persist: (item, until) => (until === undefined ? journal.delete(item) : journal.set(item, until)),
  };
}

it('an id is known for ten minutes after it was retired', () => {
  const clock = createManualClock();
  const retired = createRetiredIds(depsOf(clock));
  retired.add('j1');
  clock.pass(KEPT_MS - 1);
  expect(retired.has('j1')).toBe(true);
  expect(retired.has('j2')).toBe(false);
  clock.pass(1);
  expect(retired.has('j1')).toBe(false);
});

it('an id that is retired again counts from then, and does not keep older ones', () => {
  const clock = createManualClock();
  const retired = createRetiredIds(depsOf(clock));
  for (const item of ['j1', 'j2']) retired.add(item);
  clock.pass(KEPT_MS / 2);
  retired.add('j1');
  clock.pass(KEPT_MS / 2);
  retired.add('j3');
  expect(['j1', 'j2', 'j3'].map(retired.has)).toEqual([true, false, true]);
});

it('the oldest are forgotten when there are too many', () => {
  const retired = createRetiredIds(depsOf(createManualClock()));
  for (let count = 0; count <= 100_000; count += 1) retired.add(`j${count}`);
  expect(retired.has('j0')).toBe(false);
  expect(retired.has('j1')).toBe(true);
  expect(retired.has('j100000')).toBe(true);
});

it('ids outlive a restart of the node, and are removed from the journal in the end', () => {
  const clock = createManualClock();
  const journal = new Map<string, number>();
  createRetiredIds(depsOf(clock, journal)).add('j1');
  clock.pass(KEPT_MS - 1);
  const again = createRetiredIds(depsOf(clock, journal));
  expect(again.has('j1')).toBe(true);
  clock.pass(1);
  expect(again.has('j1')).toBe(false);
  again.add('j2');
  expect([...journal.keys()]).toEqual(['j2']);
});
