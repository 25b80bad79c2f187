/** Mean and standard deviation of the figures of several runs. */
import { expect, it } from 'vitest';
import { summarize, type PolicyFigures } from '../../../src/sim/policy/report.js';
import { spreadFigures } from '../../../src/sim/policy/spread.js';

const none: PolicyFigures = summarize({
  nodes: 1,
  from: 0,
  until: 1,
  jobs: [],
  steps: [],
  flips: 0,
  claims: 0,
  published: 0,
  delivered: 0,
  convergenceMs: [],
});

it('the mean, and the standard deviation of a sample', () => {
  const runs = [2, 4, 9].map((moves) => ({ ...none, moves }));
  const { moves } = spreadFigures({ ...none, moves: 1 }, runs);
  expect(moves).toEqual({ mean: 4, sd: Math.sqrt((9 + 4 + 0 + 25) / 3) });
});

it('one run has a deviation of 0', () => {
  expect(spreadFigures({ ...none, moves: 3 }, []).moves).toEqual({ mean: 3, sd: 0 });
});

it('a run without a figure does not count for it; if no run has it, it is null', () => {
  const spread = spreadFigures(none, [{ ...none, slowdown_mean: 2 }]);
  expect(spread.slowdown_mean).toEqual({ mean: 2, sd: 0 });
  expect(spread.slowdown_p99).toBeNull();
});
