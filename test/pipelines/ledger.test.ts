/** The ledger: state machines by name, each woken when it asked for it. */
import { describe, expect, test } from 'vitest';
import type { Step } from '../../src/core/effects.js';
import { createLedger, type Ledger } from '../../src/pipelines/ledger.js';
import { createManualClock, type ManualClock } from './manual-clock.js';

/** Counts down: wakes at `wakeAt`, is gone when it hears `end`. */
interface Toy {
  readonly wakeAt: number | undefined;
}
type ToyInput = { readonly wakeAt: number | undefined } | 'time' | 'end';

function setUp(): { readonly clock: ManualClock; readonly ledger: Ledger<Toy, ToyInput>; readonly log: string[] } {
  const clock = createManualClock();
  const log: string[] = [];
  const ledger = createLedger<Toy, ToyInput>({
    clock,
    step: (_state, input): Step<Toy | null> => {
      if (input === 'end') return { state: null, effects: [] };
      if (input === 'time') log.push(`woken at ${clock.now()}`);
      return { state: input === 'time' ? { wakeAt: undefined } : { wakeAt: input.wakeAt }, effects: [] };
    },
    wakeTime: (state) => state.wakeAt,
    timePassed: 'time',
    perform: () => undefined,
    changed: (name, before, after) =>
      log.push(`${name} ${before?.wakeAt} -> ${after === undefined ? 'gone' : after.wakeAt}`),
  });
  return { clock, ledger, log };
}

describe('the ledger', () => {
  test('wakes a state when it asked for it, once', () => {
    const { clock, ledger, log } = setUp();
    ledger.open('a', { state: { wakeAt: 50 }, effects: [] });
    clock.pass(49);
    expect(log).toEqual(['a undefined -> 50']);
    clock.pass(100);
    expect(log).toEqual(['a undefined -> 50', 'woken at 50', 'a 50 -> undefined']);
  });

  test('a wake that moves later rings at its new time only; one that moves earlier too', () => {
    const { clock, ledger, log } = setUp();
    ledger.open('a', { state: { wakeAt: 50 }, effects: [] });
    ledger.feed('a', { wakeAt: 80 });
    clock.pass(79);
    expect(log.filter((line) => line.startsWith('woken'))).toEqual([]);
    clock.pass(1);
    ledger.feed('a', { wakeAt: 200 });
    ledger.feed('a', { wakeAt: 100 });
    clock.pass(200);
    expect(log.filter((line) => line.startsWith('woken'))).toEqual(['woken at 80', 'woken at 100']);
  });

  test('a wake in the past rings at once, an endless one never', () => {
    const { clock, ledger, log } = setUp();
    clock.pass(10);
    ledger.open('a', { state: { wakeAt: 5 }, effects: [] });
    ledger.open('b', { state: { wakeAt: Number.POSITIVE_INFINITY }, effects: [] });
    clock.pass(5_000);
    expect(log.filter((line) => line.startsWith('woken'))).toEqual(['woken at 10']);
  });

  test('a state that is gone is not woken, and cannot be fed', () => {
    const { clock, ledger, log } = setUp();
    ledger.open('a', { state: { wakeAt: 50 }, effects: [] });
    expect(ledger.feed('a', 'end')).toBe(true);
    expect(ledger.feed('a', 'time')).toBe(false);
    ledger.open('b', { state: { wakeAt: 50 }, effects: [] });
    ledger.drop('b');
    clock.pass(100);
    expect(log).toEqual(['a undefined -> 50', 'a 50 -> gone', 'b undefined -> 50', 'b 50 -> gone']);
  });

  test('a closed ledger rings no more', () => {
    const { clock, ledger, log } = setUp();
    ledger.open('a', { state: { wakeAt: 50 }, effects: [] });
    ledger.close();
    clock.pass(100);
    expect(log).toEqual(['a undefined -> 50']);
  });
});
