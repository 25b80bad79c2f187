/** Figures of several runs, together. */
import { expect, test } from 'vitest';
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
  said: 0,
  heard: 0,
  convergenceMs: [],
});

test('the mean, and the standard deviation of a sample', () => {
  const runs = [2, 4, 9].map((moves) => ({ ...none, moves }));
  const { moves } = spreadFigures({ ...none, moves: 1 }, runs);
  expect(moves).toEqual({ mean: 4, sd: Math.sqrt((9 + 4 + 0 + 25) / 3) });
});

test('one run lies nowhere apart', () => {
  expect(spreadFigures({ ...none, moves: 3 }, []).moves).toEqual({ mean: 3, sd: 0 });
});

test('a run without a figure is left out of it; where none has one, there is none', () => {
  const spread = spreadFigures(none, [{ ...none, slowdown_mean: 2 }]);
  expect(spread.slowdown_mean).toEqual({ mean: 2, sd: 0 });
  expect(spread.slowdown_p99).toBeNull();
});
