/** Two nodes with one key decide from the same facts which of them keeps running; never both do. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeTwin, judgeTwin, nameTwin, type TwinContext } from '../../../src/core/identity/twin.js';

const twin: TwinContext = { instance: 'a', host: 'attic', fit: 'fits', boot: 1000 };

describe('the node that keeps running', () => {
  it.each<[string, Partial<TwinContext>, Partial<TwinContext>, string]>([
    ['is the one on its own machine, even if started later', { boot: 2000 }, { fit: 'other' }, 'mine'],
    [
      'the one whose machine fits in part, before one that does not at all',
      { fit: 'other' },
      { fit: 'partly' },
      'theirs',
    ],
    ['is the first one started if both fit', {}, { boot: 1001 }, 'mine'],
    ['is not the one started later if both fit', { boot: 1001 }, {}, 'theirs'],
    ['is neither if they cannot be told apart', {}, {}, 'neither'],
    ['is a version that does not report its fit, since it cannot yield', {}, { fit: 'unknown', boot: 5000 }, 'theirs'],
  ])('%s', (_what, mine, theirs, verdict) => {
    expect(judgeTwin({ ...twin, ...mine }, { ...twin, ...theirs })).toBe(verdict);
  });

  it('is never both, and the same from both sides', () => {
    const facts = fc.record({
      instance: fc.string(),
      host: fc.string(),
      fit: fc.constantFrom('fits', 'partly', 'other', 'unknown' as const),
      boot: fc.nat(3),
    });
    const reverse = { mine: 'theirs', theirs: 'mine', neither: 'neither' } as const;
    fc.assert(fc.property(facts, facts, (a, b) => judgeTwin(a, b) === reverse[judgeTwin(b, a)]));
  });
});

it('the node that stays off names the other one and says what to do', () => {
  expect(nameTwin(twin)).toBe('attic (started 1970-01-01T00:16:40Z)');
  expect(nameTwin({ ...twin, host: '', boot: 0 })).toBe('another machine');
  for (const verdict of ['theirs', 'neither'] as const) {
    expect(describeTwin('alpha', twin, verdict)).toMatch(/node alpha .*attic.*stays off.*tritmesh reset-identity/);
  }
});
