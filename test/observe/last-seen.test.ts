/** When a node was heard last, told by clocks that lie; and what is gone by that. */
import { expect, it } from 'vitest';
import { dateLastWord, isGone } from '../../src/observe/last-seen.js';

const WALL = Date.parse('2026-11-29T12:00:00.000Z');
const HOUR = 3_600_000;
const stamp = (ts: string, boot = 1): { readonly ts: string; readonly boot: number } => ({ ts, boot });

it.each<[string, Parameters<typeof dateLastWord>[0], string | undefined]>([
  [
    'the latest of what it said',
    [stamp('2026-11-20T00:00:00Z'), stamp('2026-11-21T00:00:00Z')],
    '2026-11-21T00:00:00Z',
  ],
  ['nothing at all', [], undefined],
  ['a clock that was never set', [stamp('1970-01-01T00:05:00Z')], undefined],
  [
    'such a clock, and runs that were numbered in better times',
    [stamp('1970-01-01T00:05:00Z', 1_795_000_000)],
    '2026-11-18T11:06:40Z',
  ],
  ['a clock that is ahead by a year', [stamp('2027-11-29T12:00:00Z', 1_827_000_000)], undefined],
  ['a clock that is ahead by a minute', [stamp('2026-11-29T12:01:00Z')], '2026-11-29T12:01:00Z'],
  ['no time at all', [stamp('soon', 5)], undefined],
])('%s', (_what, stamps, at) => {
  const dated = dateLastWord(stamps, WALL);
  expect(dated).toBe(at === undefined ? undefined : Date.parse(at));
});

it('a reader that does not know the time takes nobody for gone', () => {
  const dated = dateLastWord([stamp('2026-11-20T00:00:00Z', 1_795_000_000)], 1000);
  expect(dated).toBeUndefined();
  expect(isGone(dated, 1000)).toBe(false);
});

it('gone is who was not heard for more than a day', () => {
  expect(isGone(WALL - 24 * HOUR, WALL)).toBe(false);
  expect(isGone(WALL - 24 * HOUR - 1, WALL)).toBe(true);
});
