import { describe, expect, it } from 'vitest';
import { findNearestName } from '../../src/config/nearest-name.js';

const KNOWN = ['broker', 'base', 'labels', 'trit.plus_above', 'trit.minus_below'];

describe('the nearest name', () => {
  it.each([
    ['brokr', 'broker'],
    ['label', 'labels'],
    ['bsae', undefined],
    ['bace', 'base'],
    ['trit.plus_abvoe', 'trit.plus_above'],
    ['minus_below', 'trit.minus_below'],
    ['x', undefined],
    ['', undefined],
    ['something-else', undefined],
  ])('the nearest name to "%s" is %s', (written, nearest) => {
    expect(findNearestName(written, KNOWN)).toBe(nearest);
  });

  it('the nearest name is within the given distance', () => {
    expect(findNearestName('brxxer', KNOWN, 1)).toBeUndefined();
    expect(findNearestName('brxxer', KNOWN, 2)).toBe('broker');
  });
});
