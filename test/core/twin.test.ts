/** Two nodes of one key judge from the same facts who goes on, and never both do. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeTwin, judgeTwin, nameTwin, type TwinFacts } from '../../src/core/twin.js';

const twin: TwinFacts = { instance: 'a', host: 'attic', fit: 'fits', boot: 1000 };

describe('who goes on', () => {
  it.each<[string, Partial<TwinFacts>, Partial<TwinFacts>, string]>([
    ['the one that is on its own machine, though started later', { boot: 2000 }, { fit: 'other' }, 'mine'],
    [
      'the one whose machine fits in part, before one that does not at all',
      { fit: 'other' },
      { fit: 'partly' },
      'theirs',
    ],
    ['of two that fit, the one that was started first', {}, { boot: 1001 }, 'mine'],
    ['of two that fit, not the one that was started later', { boot: 1001 }, {}, 'theirs'],
    ['neither, when nothing tells them apart', {}, {}, 'neither'],
    ['a version that cannot tell, since it cannot yield', {}, { fit: 'unknown', boot: 5000 }, 'theirs'],
  ])('%s', (_what, mine, theirs, verdict) => {
    expect(judgeTwin({ ...twin, ...mine }, { ...twin, ...theirs })).toBe(verdict);
  });

  it('is never both, and the same whoever judges', () => {
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

it('the one that stays off names the other and says what to do', () => {
  expect(nameTwin(twin)).toBe('attic (started 1970-01-01T00:16:40Z)');
  expect(nameTwin({ ...twin, host: '', boot: 0 })).toBe('another machine');
  for (const verdict of ['theirs', 'neither'] as const) {
    expect(describeTwin('alpha', twin, verdict)).toMatch(/node alpha .*attic.*stays off.*tritmesh reset-identity/);
  }
});
