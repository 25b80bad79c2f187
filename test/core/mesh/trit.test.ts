import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classifyRatio,
  DEFAULT_TRIT_RULES,
  findRulesFault,
  stepTrit,
  type TritRules,
  type TritState,
} from '../../../src/core/mesh/trit.js';
import type { Trit } from '../../../src/protocol/messages.js';

/** Feeds one ratio per second, starting at second 0, and returns the trit after each. */
function walk(ratios: readonly number[], rules: TritRules = DEFAULT_TRIT_RULES, stepMs = 1000): readonly Trit[] {
  let state: TritState | undefined;
  return ratios.map((ratio, index) => (state = stepTrit(state, ratio, index * stepMs, rules)).trit);
}

function times(count: number, ratio: number): readonly number[] {
  return Array.from({ length: count }, () => ratio);
}

const anyRatio = fc.oneof(
  fc.double({ min: 0, max: 2, noNaN: true }),
  fc.constantFrom(0.3, 0.45, 0.65, 0.8),
  fc.double(),
);
const steps = fc.array(fc.record({ ratio: anyRatio, afterMs: fc.integer({ min: 0, max: 12_000 }) }), { maxLength: 60 });

describe('classifyRatio', () => {
  it.each<[string, number, Trit]>([
    ['just above 0.8 is PLUS', 0.8000001, 1],
    ['exactly 0.8 is ERGODIC', 0.8, 0],
    ['between is ERGODIC', 0.5, 0],
    ['exactly 0.3 is ERGODIC', 0.3, 0],
    ['just below 0.3 is MINUS', 0.2999999, -1],
    ['no load is MINUS', 0, -1],
    ['a negative ratio counts as no load', -1, -1],
    ['an endless load is PLUS', Infinity, 1],
    ['NaN is ERGODIC, which neither sheds nor accepts', NaN, 0],
  ])('%s', (_title, ratio, trit) => {
    expect(classifyRatio(ratio)).toBe(trit);
  });
});

describe('stepTrit', () => {
  it.each<[string, readonly number[], readonly Trit[]]>([
    ['the first sample classifies at once', [0.9], [1]],
    ['ERGODIC becomes PLUS after 5 s above 0.8', [0.5, ...times(6, 0.9)], [0, 0, 0, 0, 0, 0, 1]],
    ['ERGODIC becomes MINUS after 10 s below 0.3', [0.5, ...times(11, 0.1)], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1]],
    ['a dip to 0.8 restarts the hold', [0.5, 0.9, 0.9, 0.9, 0.8, ...times(6, 0.9)], [...times(10, 0), 1] as Trit[]],
    ['PLUS stays PLUS at 0.65 forever', [0.9, ...times(30, 0.65)], times(31, 1) as Trit[]],
    ['PLUS becomes ERGODIC after 5 s below 0.65', [0.9, ...times(6, 0.64)], [1, 1, 1, 1, 1, 1, 0]],
    ['MINUS stays MINUS at 0.45 forever', [0.1, ...times(30, 0.45)], times(31, -1) as Trit[]],
    ['MINUS becomes ERGODIC after 5 s above 0.45', [0.1, ...times(6, 0.46)], [-1, -1, -1, -1, -1, -1, 0]],
    ['MINUS becomes PLUS after 5 s above 0.8', [0.1, ...times(6, 0.9)], [-1, -1, -1, -1, -1, -1, 1]],
    ['PLUS becomes MINUS after 10 s below 0.3', [0.9, ...times(11, 0.1)], [...times(11, 1), -1] as Trit[]],
    [
      'PLUS that falls to ERGODIC on its way down waits for ERGODIC only',
      [0.9, 0.1, 0.1, 0.5, 0.5, 0.5, 0.5],
      [1, 1, 1, 1, 1, 1, 0],
    ],
    [
      'PLUS that swings between ERGODIC and MINUS settles at ERGODIC',
      [0.9, 0.1, 0.5, 0.1, 0.5, 0.1, 0.5],
      [1, 1, 1, 1, 1, 1, 0],
    ],
    ['NaN is ignored', [0.9, NaN, NaN], [1, 1, 1]],
  ])('%s', (_title, ratios, trits) => {
    expect(walk(ratios)).toEqual(trits);
  });

  it('a change whose hold ran out between two samples comes with the next sample', () => {
    const waiting = stepTrit({ trit: 0 }, 0.9, 1_000);
    expect(stepTrit(waiting, 0.9, 60_000)).toEqual({ trit: 1 });
  });

  it('with hysteresis off, each sample is classified on its own', () => {
    const raw = { ...DEFAULT_TRIT_RULES, hysteresis: false };
    expect(walk([0.9, 0.79, 0.81, 0.29, 0.31], raw)).toEqual([1, 0, 1, -1, 0]);
  });

  it('property: a trit never flaps while the ratio stays inside its band', () => {
    const bands = fc.constantFrom<[Trit, number, number]>([1, 0.65, 3], [0, 0.3, 0.8], [-1, 0, 0.45]);
    const walks = bands.chain(([trit, min, max]) =>
      fc.tuple(fc.constant(trit), fc.array(fc.double({ min, max, noNaN: true }), { maxLength: 80 })),
    );
    fc.assert(
      fc.property(walks, fc.integer({ min: 0, max: 60_000 }), ([trit, ratios], stepMs) => {
        let state: TritState = { trit };
        for (const [index, ratio] of ratios.entries()) state = stepTrit(state, ratio, index * stepMs);
        expect(state).toEqual({ trit });
      }),
    );
  });

  it('property: two changes are never closer than the hold of the second', () => {
    fc.assert(
      fc.property(steps, (all) => {
        let state: TritState | undefined;
        let now = 0;
        let changedAt = -Infinity;
        for (const { ratio, afterMs } of all) {
          now += afterMs;
          const next = stepTrit(state, ratio, now);
          if (state !== undefined && next.trit !== state.trit) {
            const leavesAtOnce = state.trit === 0 && state.candidate === next.trit;
            if (!leavesAtOnce) expect(now - changedAt).toBeGreaterThanOrEqual(next.trit === -1 ? 10_000 : 5_000);
            changedAt = now;
          }
          state = next;
        }
      }),
    );
  });

  it('property: whatever comes in, the trit is -1, 0 or 1 and a steady load is classified within its hold', () => {
    fc.assert(
      fc.property(steps, fc.double({ min: 0, max: 2, noNaN: true }), (all, steady) => {
        let state: TritState | undefined;
        let now = 0;
        for (const { ratio, afterMs } of all) {
          now += afterMs;
          state = stepTrit(state, ratio, now);
          expect([-1, 0, 1]).toContain(state.trit);
        }
        const before = state?.trit;
        for (let second = 0; second <= 10; second++) state = stepTrit(state, steady, now + second * 1000);
        const stays = (before === 1 && steady >= 0.65) || (before === -1 && steady <= 0.45);
        expect(state?.trit).toBe(stays ? before : classifyRatio(steady));
      }),
    );
  });
});

describe('findRulesFault', () => {
  it('accepts the defaults', () => {
    expect(findRulesFault(DEFAULT_TRIT_RULES)).toBeUndefined();
  });
  it.each<[string, Partial<TritRules>]>([
    ['PLUS may not be left above where it is entered', { plusLeaveBelow: 0.9 }],
    ['MINUS may not be left below where it is entered', { minusLeaveAbove: 0.2 }],
    ['the bands may not cross', { minusLeaveAbove: 0.7 }],
    ['a ratio may not be negative', { minusBelow: -0.1 }],
    ['a ratio may not be NaN', { plusAbove: NaN }],
    ['a hold may not be negative', { plusHoldMs: -1 }],
  ])('%s', (_title, change) => {
    expect(findRulesFault({ ...DEFAULT_TRIT_RULES, ...change })).toMatch(/^must /);
  });
});
