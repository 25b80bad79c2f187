/** How the time until a mesh agrees on its sum is measured. */
import { expect, it } from 'vitest';
import { createConvergence } from '../../../src/sim/policy/convergence.js';

function agreeing(): ReturnType<typeof createConvergence> {
  const watch = createConvergence();
  for (const node of ['a', 'b']) watch.sumDerived(node, 0, 0);
  return watch;
}

it('agreement takes from the publication of a trit until the last node derives the true sum', () => {
  const watch = agreeing();
  watch.tritPublished('a', 1, 100);
  watch.sumDerived('a', 1, 110);
  expect(watch.tookMs).toEqual([]);
  watch.sumDerived('b', 1, 160);
  expect(watch.tookMs).toEqual([60]);
});

it('changes that overlap end at the same agreement', () => {
  const watch = agreeing();
  watch.tritPublished('a', 1, 100);
  watch.sumDerived('a', 1, 110);
  watch.tritPublished('b', 1, 120);
  watch.sumDerived('b', 2, 130);
  watch.sumDerived('a', 2, 150);
  expect(watch.tookMs).toEqual([50, 30]);
});

it('a change that is reverted before any node saw it ends at once', () => {
  const watch = agreeing();
  watch.tritPublished('a', 1, 100);
  watch.tritPublished('a', 0, 105);
  expect(watch.tookMs).toEqual([5, 0]);
});

it('a repeated trit is not a change', () => {
  const watch = agreeing();
  watch.tritPublished('a', 0, 100);
  expect(watch.tookMs).toEqual([]);
});
