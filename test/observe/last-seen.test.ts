/** When a node was last seen, judged by clocks that may be wrong, and which nodes are gone by that. */
import { expect, it } from 'vitest';
import { findLastSeen, isGone } from '../../src/observe/last-seen.js';

const WALL = Date.parse('2026-11-29T12:00:00.000Z');
const HOUR = 3_600_000;
const stamp = (ts: string, boot = 1): { readonly ts: string; readonly boot: number } => ({ ts, boot });

it.each<[string, Parameters<typeof findLastSeen>[0], string | undefined]>([
  [
    'of several messages is the latest',
    [stamp('2026-11-20T00:00:00Z'), stamp('2026-11-21T00:00:00Z')],
    '2026-11-21T00:00:00Z',
  ],
  ['without any message is unknown', [], undefined],
  ['by a clock that was never set is unknown', [stamp('1970-01-01T00:05:00Z')], undefined],
  [
    'by a clock that was never set is taken from a boot number of better times',
    [stamp('1970-01-01T00:05:00Z', 1_795_000_000)],
    '2026-11-18T11:06:40Z',
  ],
  ['by a clock that is a year ahead is unknown', [stamp('2027-11-29T12:00:00Z', 1_827_000_000)], undefined],
  ['by a clock that is a minute ahead is accepted', [stamp('2026-11-29T12:01:00Z')], '2026-11-29T12:01:00Z'],
  ['from a text that is not a time is unknown', [stamp('soon', 5)], undefined],
])('the last time %s', (_what, stamps, at) => {
  const dated = findLastSeen(stamps, WALL);
  expect(dated).toBe(at === undefined ? undefined : Date.parse(at));
});

it('a reader that does not know the time considers no node gone', () => {
  const dated = findLastSeen([stamp('2026-11-20T00:00:00Z', 1_795_000_000)], 1000);
  expect(dated).toBeUndefined();
  expect(isGone(dated, 1000)).toBe(false);
});

it('a node is gone when it was not seen for more than a day', () => {
  expect(isGone(WALL - 24 * HOUR, WALL)).toBe(false);
  expect(isGone(WALL - 24 * HOUR - 1, WALL)).toBe(true);
});
