/** When a mesh agrees on its sum. */
import { expect, test } from 'vitest';
import { watchConvergence } from '../../../src/sim/policy/convergence.js';

function agreeing(): ReturnType<typeof watchConvergence> {
  const watch = watchConvergence();
  for (const node of ['a', 'b']) watch.sumDerived(node, 0, 0);
  return watch;
}

test('it lasts from the word of a trit until the last node derives the true sum', () => {
  const watch = agreeing();
  watch.tritSaid('a', 1, 100);
  watch.sumDerived('a', 1, 110);
  expect(watch.tookMs).toEqual([]);
  watch.sumDerived('b', 1, 160);
  expect(watch.tookMs).toEqual([60]);
});

test('changes that overlap end at the same agreement', () => {
  const watch = agreeing();
  watch.tritSaid('a', 1, 100);
  watch.sumDerived('a', 1, 110);
  watch.tritSaid('b', 1, 120);
  watch.sumDerived('b', 2, 130);
  watch.sumDerived('a', 2, 150);
  expect(watch.tookMs).toEqual([50, 30]);
});

test('a change that is taken back before anybody saw it ends at once', () => {
  const watch = agreeing();
  watch.tritSaid('a', 1, 100);
  watch.tritSaid('a', 0, 105);
  expect(watch.tookMs).toEqual([5, 0]);
});

test('the same trit said again is no change', () => {
  const watch = agreeing();
  watch.tritSaid('a', 0, 100);
  expect(watch.tookMs).toEqual([]);
});
