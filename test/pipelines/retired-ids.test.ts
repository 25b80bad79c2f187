/** Ids that were forgotten: known as long as a request for them may be said again, and not longer. */
import { expect, test } from 'vitest';
import { createRetiredIds, type RetiredParts } from '../../src/pipelines/retired-ids.js';
import { createManualClock, type ManualClock } from './manual-clock.js';

const KEPT_MS = 10 * 60 * 1000;

function partsOf(clock: ManualClock, journal: Map<string, number> = new Map()): RetiredParts {
  return {
    running: clock.now,
    restored: new Map(journal),
    note: (item, until) => (until === undefined ? journal.delete(item) : journal.set(item, until)),
  };
}

test('an id is known for ten minutes after it was retired', () => {
  const clock = createManualClock();
  const retired = createRetiredIds(partsOf(clock));
  retired.add('j1');
  clock.pass(KEPT_MS - 1);
  expect(retired.has('j1')).toBe(true);
  expect(retired.has('j2')).toBe(false);
  clock.pass(1);
  expect(retired.has('j1')).toBe(false);
});

test('one that is retired again counts from then, and does not keep older ones', () => {
  const clock = createManualClock();
  const retired = createRetiredIds(partsOf(clock));
  for (const item of ['j1', 'j2']) retired.add(item);
  clock.pass(KEPT_MS / 2);
  retired.add('j1');
  clock.pass(KEPT_MS / 2);
  retired.add('j3');
  expect(['j1', 'j2', 'j3'].map(retired.has)).toEqual([true, false, true]);
});

test('the oldest are forgotten when there are too many', () => {
  const retired = createRetiredIds(partsOf(createManualClock()));
  for (let count = 0; count <= 100_000; count += 1) retired.add(`j${count}`);
  expect(retired.has('j0')).toBe(false);
  expect(retired.has('j1')).toBe(true);
  expect(retired.has('j100000')).toBe(true);
});

test('ids outlive a restart of the node, and are taken out of the journal in the end', () => {
  const clock = createManualClock();
  const journal = new Map<string, number>();
  createRetiredIds(partsOf(clock, journal)).add('j1');
  clock.pass(KEPT_MS - 1);
  const again = createRetiredIds(partsOf(clock, journal));
  expect(again.has('j1')).toBe(true);
  clock.pass(1);
  expect(again.has('j1')).toBe(false);
  again.add('j2');
  expect([...journal.keys()]).toEqual(['j2']);
});
