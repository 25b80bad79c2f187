/** Ids that were forgotten: known as long as a request for them may be said again, and not longer. */
import { expect, test } from 'vitest';
import { createRetiredIds } from '../../src/pipelines/retired-ids.js';
import { createManualClock } from './manual-clock.js';

const KEPT_MS = 10 * 60 * 1000;

test('an id is known for ten minutes after it was retired', () => {
  const clock = createManualClock();
  const retired = createRetiredIds(clock);
  retired.add('j1');
  clock.pass(KEPT_MS - 1);
  expect(retired.has('j1')).toBe(true);
  expect(retired.has('j2')).toBe(false);
  clock.pass(1);
  expect(retired.has('j1')).toBe(false);
});

test('one that is retired again counts from then, and does not keep older ones', () => {
  const clock = createManualClock();
  const retired = createRetiredIds(clock);
  for (const item of ['j1', 'j2']) retired.add(item);
  clock.pass(KEPT_MS / 2);
  retired.add('j1');
  clock.pass(KEPT_MS / 2);
  retired.add('j3');
  expect(['j1', 'j2', 'j3'].map(retired.has)).toEqual([true, false, true]);
});

test('the oldest are forgotten when there are too many', () => {
  const retired = createRetiredIds(createManualClock());
  for (let count = 0; count <= 100_000; count += 1) retired.add(`j${count}`);
  expect(retired.has('j0')).toBe(false);
  expect(retired.has('j1')).toBe(true);
  expect(retired.has('j100000')).toBe(true);
});
