import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../src/bus/mqtt/backoff.js';

const bounds = { firstMs: 500, maxMs: 30_000 };

describe('the wait between attempts', () => {
  it.each([
    ['starts with half of the first wait when the random number is low', 1, 0, 250],
    ['comes near the whole first wait when the random number is high', 1, 0.999, 499.75],
    ['doubles with each failure', 3, 0, 1000],
    ['stops growing at its ceiling', 8, 0, 15_000],
    ['stays finite after very many failures', 5000, 0.5, 22_500],
  ])('the wait %s', (_title, failures, random, expectedMs) => {
    expect(backoffMs(failures, () => random, bounds)).toBeCloseTo(expectedMs, 5);
  });
});
