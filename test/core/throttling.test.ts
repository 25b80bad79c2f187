import { describe, expect, test } from 'vitest';
import type { Step } from '../../src/core/effects.js';
import type { ThrottleRecord } from '../../src/core/throttle-record.js';
import type { Throttled, ThrottleWish } from '../../src/core/throttled.js';
import { askThrottle, resumeThrottle, stepThrottling, type ThrottlingInput } from '../../src/core/throttling.js';
import { instant } from './samples.js';

const wish: ThrottleWish = {
  target: 'pid/7',
  processes: [{ pid: 7, start: 's7' }],
  sharePercent: 50,
  pid: 7,
  name: 'burn',
  cpuPercent: 100,
  reason: 'heavy',
  cause: 'matrix',
};

function record(...pids: readonly number[]): ThrottleRecord {
  const processes = pids.map((pid) => ({ pid, start: `s${pid}`, before: '/' }));
  return { target: 'pid/7', method: 'cgroup-v1', sharePercent: 50, place: '/t', limit: '', processes };
}

/** Lives through inputs and tells every effect in a word. */
function live(
  begin: Step<Throttled | null>,
  ...inputs: readonly ThrottlingInput[]
): { readonly state: Throttled | null; readonly told: readonly string[] } {
  let { state } = begin;
  const told = begin.effects.map(nameEffect);
  for (const [index, input] of inputs.entries()) {
    if (state === null) throw new Error(`nothing is left to hear ${input.type}`);
    const step: Step<Throttled | null> = stepThrottling(state, input, instant(index * 10), 'alpha');
    ({ state } = step);
    told.push(...step.effects.map(nameEffect));
  }
  return { state, told };
}

function nameEffect(effect: Step<unknown>['effects'][number]): string {
  if (effect.type === 'Persist') return effect.value === undefined ? 'forget' : 'write';
  return effect.type === 'Say' && effect.kind === 'event' ? effect.body.event_type : effect.type;
}

const prepared: ThrottlingInput = { type: 'ThrottlePrepared', record: record(7) };
const set: ThrottlingInput = { type: 'ThrottleSet' };
const lift: ThrottlingInput = { type: 'LiftWanted', reason: 'MINUS' };
const undone: ThrottlingInput = { type: 'ThrottleUndone' };
const undoFailed: ThrottlingInput = { type: 'UndoFailed', reason: 'busy' };
const setFailed: ThrottlingInput = { type: 'SetFailed', reason: 'EPERM' };
const prepareFailed: ThrottlingInput = { type: 'PrepareFailed', reason: 'shared session' };

describe('a throttle', () => {
  test.each<[string, readonly ThrottlingInput[], readonly string[], Throttled['phase'] | null]>([
    ['is written down before it is set', [prepared], ['PrepareThrottle', 'write', 'SetThrottle'], 'setting'],
    ['is told once it is set', [prepared, set, set], ['PrepareThrottle', 'write', 'SetThrottle', 'throttled'], 'set'],
    [
      'is forgotten only after it was undone',
      [prepared, set, lift, undone],
      ['PrepareThrottle', 'write', 'SetThrottle', 'throttled', 'UndoThrottle', 'unthrottled', 'forget'],
      null,
    ],
    ['that is not wanted any more when it is prepared touches nothing', [lift], ['PrepareThrottle'], null],
    [
      'is undone also when it was not said to be set yet',
      [prepared, lift, set, undone],
      ['PrepareThrottle', 'write', 'SetThrottle', 'UndoThrottle', 'forget'],
      null,
    ],
    [
      'that could not be set is undone, for it may be set in part',
      [prepared, setFailed, undone],
      ['PrepareThrottle', 'write', 'SetThrottle', 'UndoThrottle', 'throttle_failed', 'forget'],
      'failed',
    ],
    [
      'that could not be undone stays written down, and is tried again',
      [prepared, set, lift, undoFailed, lift, undone],
      ['PrepareThrottle', 'write', 'SetThrottle', 'throttled', 'UndoThrottle', 'UndoThrottle', 'unthrottled', 'forget'],
      null,
    ],
    [
      'is undone once, however often that is wanted',
      [prepared, set, lift, lift, lift],
      ['PrepareThrottle', 'write', 'SetThrottle', 'throttled', 'UndoThrottle'],
      'lifting',
    ],
  ])('%s', (_title, inputs, told, phase) => {
    const after = live(askThrottle(wish), ...inputs);
    expect(after.told).toEqual(told);
    expect(after.state?.phase ?? null).toBe(phase);
  });

  test('that cannot be prepared says so once, and is tried again a minute later', () => {
    const wanted: ThrottlingInput = { type: 'ThrottleWanted', wish };
    const failed = live(askThrottle(wish), prepareFailed, wanted);
    expect(failed.told).toEqual(['PrepareThrottle', 'throttle_failed']);
    if (failed.state === null) throw new Error('it was dropped');
    const again = stepThrottling(failed.state, wanted, instant(60_000), 'alpha');
    expect(again.effects.map(nameEffect)).toEqual(['PrepareThrottle']);
    const twice = stepThrottling(again.state as Throttled, prepareFailed, instant(60_010), 'alpha');
    expect(twice.effects).toEqual([]);
    expect(stepThrottling(twice.state as Throttled, lift, instant(60_020), 'alpha')).toEqual({
      state: null,
      effects: [],
    });
  });

  test('takes in what was forked since, and is written down before that is touched', () => {
    const wanted = (...pids: readonly number[]): ThrottlingInput => ({
      type: 'ThrottleWanted',
      wish: { ...wish, processes: pids.map((pid) => ({ pid })) },
    });
    const begin = [prepared, set] as const;
    expect(live(askThrottle(wish), ...begin, wanted(7)).told.slice(4)).toEqual([]);
    const grown = live(
      askThrottle(wish),
      ...begin,
      wanted(7, 8),
      { type: 'ThrottlePrepared', record: record(7, 8) },
      set,
    );
    expect(grown.told.slice(4)).toEqual(['PrepareThrottle', 'write', 'SetThrottle']);
    const guard = live(askThrottle(wish), ...begin, wanted(7, 9), prepared);
    expect(guard.told.slice(4)).toEqual(['PrepareThrottle']);
    const stays = live(askThrottle(wish), ...begin, wanted(7, 8), prepareFailed);
    expect(stays.told.slice(4)).toEqual(['PrepareThrottle']);
    expect(stays.state?.phase).toBe('set');
  });

  test('is lifted when its target rests for long, not when it pauses', () => {
    const rested: ThrottlingInput = { type: 'TargetRested', reason: 'light' };
    const { state } = live(askThrottle(wish), prepared, set, rested);
    const step = (from: Throttled | null, input: ThrottlingInput, ms: number): Step<Throttled | null> =>
      stepThrottling(from as Throttled, input, instant(ms), 'alpha');
    expect(step(state, rested, 20_010).effects).toEqual([]);
    expect(step(state, rested, 20_020).effects.map(nameEffect)).toEqual(['UndoThrottle']);
    const woken = step(state, { type: 'ThrottleWanted', wish }, 10_000).state;
    const again = step(woken, rested, 20_020);
    expect(again.effects).toEqual([]);
    expect(step(again.state, rested, 40_020).effects.map(nameEffect)).toEqual(['UndoThrottle']);
  });

  test('of an earlier life is set again without a word, and undone with one', () => {
    const resumed = resumeThrottle({ wish, record: record(7) });
    expect(live(resumed, set, lift, undone).told).toEqual(['SetThrottle', 'UndoThrottle', 'unthrottled', 'forget']);
    expect(live(resumed, setFailed, undone)).toEqual({
      state: null,
      told: ['SetThrottle', 'UndoThrottle', 'unthrottled', 'forget'],
    });
  });

  test('tells process, share, method and reason', () => {
    const { state } = live(askThrottle(wish), prepared);
    const step = stepThrottling(state as Throttled, set, instant(0), 'alpha');
    expect(step.effects).toMatchObject([
      {
        topic: { kind: 'event', node: 'alpha' },
        body: {
          event_type: 'throttled',
          pid: 7,
          name: 'burn',
          share_percent: 50,
          method: 'cgroup-v1',
          reason: 'heavy',
        },
      },
    ]);
  });
});
