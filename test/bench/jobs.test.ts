import { describe, expect, it } from 'vitest';
import { drawLengths, findIdeal, readTimes, type Machine } from '../../bench/makespan/jobs.js';

describe('the lengths of the jobs', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(drawLengths(60, 60, 10)).toEqual(drawLengths(60, 60, 10));
    expect(drawLengths(60, 60, 10)).not.toEqual(drawLengths(60, 60, 11));
  });

  it('add up to the total, and differ by a factor of at least five', () => {
    const lengths = drawLengths(60, 90, 10);
    expect(lengths).toHaveLength(60);
    expect(lengths.reduce((all, length) => all + length, 0)).toBeCloseTo(90, 9);
    expect(Math.max(...lengths) / Math.min(...lengths)).toBeGreaterThan(5);
    expect(Math.min(...lengths)).toBeGreaterThan(0);
  });
});

describe('the ideal makespan', () => {
  const machine = (cpus: number, ownCpus: number): Machine => ({ name: 'one', cpus, slots: 1, ownCpus });

  it('is all work on all that the owners leave free', () => {
    expect(findIdeal([1, 2, 3], [machine(1, 0), machine(1, 0.5)])).toBe(4);
  });

  it('ignores a machine whose owner wants more than there is', () => {
    expect(findIdeal([3], [machine(1, 0), machine(1, 2)])).toBe(3);
  });

  it('does not exist without a free cpu', () => {
    expect(() => findIdeal([1], [machine(1, 1)])).toThrow(new RangeError('no machine has a free cpu'));
  });
});

describe('the times of a shell', () => {
  it('are those of the shell itself, not of its children', () => {
    expect(readTimes('0m1.25s 0m0.50s\n9m9.00s 9m9.00s\n')).toBe(1.75);
    expect(readTimes('1m0.000s 2m0.500s\n0m0.000s 0m0.000s\n')).toBe(180.5);
  });

  it('are NaN for other output', () => {
    expect(readTimes('sh: times: not found')).toBeNaN();
  });
});
