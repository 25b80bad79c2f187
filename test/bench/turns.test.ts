import { describe, expect, it } from 'vitest';
import { median, medianRatio } from '../../bench/measure/turns.js';

describe('what was measured in turns', () => {
  it('has the middle value as its median, whatever the order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([])).toBeNaN();
  });

  it('is compared with the baseline of the same turn', () => {
    // One turn under a load that slowed both: the ratio of the medians would be 4.
    expect(medianRatio([4, 40, 2], [2, 20, 1])).toBe(2);
    expect(medianRatio([8, 4, 4], [1, 2, 2])).toBe(2);
  });

  it('has as many turns as its baseline', () => {
    expect(() => medianRatio([1, 2], [1])).toThrow(new RangeError('2 turns, but 1 baselines'));
  });
});
