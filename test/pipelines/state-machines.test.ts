/** State machines by name, each woken at the time that it asked for. */
import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/core/effects.js';
import { createStateMachines, type StateMachines } from '../../src/pipelines/state-machines.js';
import { createManualClock, type ManualClock } from '../support/manual-clock.js';

/** Wakes at `wakeAt`, and is gone after the input `end`. */
interface Toy {
  readonly wakeAt: number | undefined;
}
type ToyInput = { readonly wakeAt: number | undefined } | 'time' | 'end';

function setUp(): {
  readonly clock: ManualClock;
  readonly machines: StateMachines<Toy, ToyInput>;
  readonly log: string[];
} {
  const clock = createManualClock();
  const log: string[] = [];
  const machines = createStateMachines<Toy, ToyInput>({
    states: new Map(),
    clock,
    step: (_state, input): Step<Toy | null> => {
      if (input === 'end') return { state: null, effects: [] };
      if (input === 'time') log.push(`woken at ${clock.now()}`);
      return { state: input === 'time' ? { wakeAt: undefined } : { wakeAt: input.wakeAt }, effects: [] };
    },
    nextTimerAt: (state) => state.wakeAt,
    timePassed: 'time',
    perform: () => undefined,
    changed: (name, before, after) =>
      log.push(`${name} ${before?.wakeAt} -> ${after === undefined ? 'gone' : after.wakeAt}`),
  });
  return { clock, machines, log };
}

describe('a set of state machines', () => {
  it('wakes a state once, at the time it asked for', () => {
    const { clock, machines, log } = setUp();
    machines.open('a', { state: { wakeAt: 50 }, effects: [] });
    clock.pass(49);
    expect(log).toEqual(['a undefined -> 50']);
    clock.pass(100);
    expect(log).toEqual(['a undefined -> 50', 'woken at 50', 'a 50 -> undefined']);
  });

  it('a timer that moves later or earlier fires only at its new time', () => {
    const { clock, machines, log } = setUp();
    machines.open('a', { state: { wakeAt: 50 }, effects: [] });
    machines.feed('a', { wakeAt: 80 });
    clock.pass(79);
    expect(log.filter((line) => line.startsWith('woken'))).toEqual([]);
    clock.pass(1);
    machines.feed('a', { wakeAt: 200 });
    machines.feed('a', { wakeAt: 100 });
    clock.pass(200);
    expect(log.filter((line) => line.startsWith('woken'))).toEqual(['woken at 80', 'woken at 100']);
  });

  it('a timer in the past fires at once, an infinite one never', () => {
    const { clock, machines, log } = setUp();
    clock.pass(10);
    machines.open('a', { state: { wakeAt: 5 }, effects: [] });
    machines.open('b', { state: { wakeAt: Number.POSITIVE_INFINITY }, effects: [] });
    clock.pass(5_000);
    expect(log.filter((line) => line.startsWith('woken'))).toEqual(['woken at 10']);
  });

  it('a state that is gone is not woken, and cannot be fed', () => {
    const { clock, machines, log } = setUp();
    machines.open('a', { state: { wakeAt: 50 }, effects: [] });
    expect(machines.feed('a', 'end')).toBe(true);
    expect(machines.feed('a', 'time')).toBe(false);
    machines.open('b', { state: { wakeAt: 50 }, effects: [] });
    machines.drop('b');
    clock.pass(100);
    expect(log).toEqual(['a undefined -> 50', 'a 50 -> gone', 'b undefined -> 50', 'b 50 -> gone']);
  });

  it('no timer fires once it is closed', () => {
    const { clock, machines, log } = setUp();
    machines.open('a', { state: { wakeAt: 50 }, effects: [] });
    machines.close();
    clock.pass(100);
    expect(log).toEqual(['a undefined -> 50']);
  });
});
