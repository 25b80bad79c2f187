/** The times of a playback: what is cut, what is not, and that the limit holds for any times. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAUSE_MAX_MS, shortenPauses } from '../../demo/playback-times.js';

const LIMIT_MS = 21_000;

describe('a playback', () => {
  it.each([
    { what: 'of nothing', times: [], limit: LIMIT_MS, expected: [] },
    { what: 'with short pauses stays as it was', times: [10, 10, 700], limit: LIMIT_MS, expected: [10, 10, 700] },
    { what: 'has no pause above the maximum', times: [100, 9100], limit: LIMIT_MS, expected: [100, 1600] },
    { what: 'cuts the pause before the first line, too', times: [8000], limit: LIMIT_MS, expected: [1500] },
    { what: 'cuts long pauses equally', times: [100, 1100, 2300], limit: 900, expected: [100, 500, 900] },
    { what: 'does not go back when a clock does', times: [500, 400, 600], limit: LIMIT_MS, expected: [500, 500, 700] },
  ])('$what', ({ times, limit, expected }) => {
    expect(shortenPauses(times, limit).timesMs).toEqual(expected);
  });

  it('says what the longest pauses were cut to', () => {
    expect(shortenPauses([100, 1100, 2300], 900).capMs).toBe(400);
    expect(shortenPauses([100], 900).capMs).toBe(PAUSE_MAX_MS);
  });

  it('keeps the order, the short pauses, the cap and the limit for any times', () => {
    const anyPauses = fc.array(fc.nat(20_000), { maxLength: 300 });
    fc.assert(
      fc.property(anyPauses, (pauses) => {
        let time = 0;
        const { timesMs, capMs } = shortenPauses(
          pauses.map((pause) => (time += pause)),
          LIMIT_MS,
        );
        expect(timesMs).toHaveLength(pauses.length);
        expect(capMs).toBeGreaterThan(0);
        expect(capMs).toBeLessThanOrEqual(PAUSE_MAX_MS);
        for (const [index, pause] of pauses.entries())
          expect((timesMs[index] ?? 0) - (timesMs[index - 1] ?? 0)).toBeCloseTo(Math.min(pause, capMs), 5);
        expect(timesMs.at(-1) ?? 0).toBeLessThanOrEqual(LIMIT_MS + 0.001);
      }),
    );
  });
});
