import { describe, expect, it } from 'vitest';
import type { Step } from '../../../src/core/effects.js';
import type { SavedThrottle } from '../../../src/core/processes/saved-throttle.js';
import type { ThrottleState, ThrottleWish } from '../../../src/core/processes/throttle-state.js';
import {
  askThrottle,
  resumeThrottle,
  stepThrottle,
  type ThrottleInput,
} from '../../../src/core/processes/throttle-step.js';
import { instant } from '../../support/samples.js';

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

function record(...pids: readonly number[]): SavedThrottle {
  const processes = pids.map((pid) => ({ pid, start: `s${pid}`, before: '/' }));
  return { target: 'pid/7', method: 'cgroup-v1', sharePercent: 50, place: '/t', limit: '', processes };
}

/** Feeds inputs to a throttle and names every effect in one word. */
function feed(
  begin: Step<ThrottleState | null>,
  ...inputs: readonly ThrottleInput[]
): { readonly state: ThrottleState | null; readonly trail: readonly string[] } {
  let { state } = begin;
  const trail = begin.effects.map(nameEffect);
  for (const [index, input] of inputs.entries()) {
    if (state === null) throw new Error(`nothing is left to hear ${input.type}`);
    const step: Step<ThrottleState | null> = stepThrottle(state, input, instant(index * 10), 'alpha');
    ({ state } = step);
    trail.push(...step.effects.map(nameEffect));
  }
  return { state, trail };
}

function nameEffect(effect: Step<unknown>['effects'][number]): string {
  if (effect.type === 'Persist') return effect.value === undefined ? 'forget' : 'write';
  return effect.type === 'Publish' && effect.kind === 'event' ? effect.body.event_type : effect.type;
}

const prepared: ThrottleInput = { type: 'ThrottlePrepared', record: record(7) };
const set: ThrottleInput = { type: 'ThrottleSet' };
const lift: ThrottleInput = { type: 'LiftWanted', reason: 'MINUS' };
const undone: ThrottleInput = { type: 'ThrottleUndone' };
const undoFailed: ThrottleInput = { type: 'UndoFailed', reason: 'busy' };
const setFailed: ThrottleInput = { type: 'SetFailed', reason: 'EPERM' };
const prepareFailed: ThrottleInput = { type: 'PrepareFailed', reason: 'shared session' };

describe('a throttle', () => {
  it.each<[string, readonly ThrottleInput[], readonly string[], ThrottleState['phase'] | null]>([
    ['is journalled before it is set', [prepared], ['PrepareThrottle', 'write', 'SetThrottle'], 'setting'],
    [
      'is reported once it is set',
      [prepared, set, set],
      ['PrepareThrottle', 'write', 'SetThrottle', 'throttled'],
      'set',
    ],
    [
      'is forgotten only after it was undone',
      [prepared, set, lift, undone],
      ['PrepareThrottle', 'write', 'SetThrottle', 'throttled', 'UndoThrottle', 'unthrottled', 'forget'],
      null,
    ],
    ['that is no longer wanted when it is prepared changes nothing', [lift], ['PrepareThrottle'], null],
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
  ])('%s', (_title, inputs, trail, phase) => {
    const after = feed(askThrottle(wish), ...inputs);
    expect(after.trail).toEqual(trail);
    expect(after.state?.phase ?? null).toBe(phase);
  });

  it('that cannot be prepared reports it once, and is tried again a minute later', () => {
    const wanted: ThrottleInput = { type: 'ThrottleWanted', wish };
    const failed = feed(askThrottle(wish), prepareFailed, wanted);
    expect(failed.trail).toEqual(['PrepareThrottle', 'throttle_failed']);
    if (failed.state === null) throw new Error('it was dropped');
    const again = stepThrottle(failed.state, wanted, instant(60_000), 'alpha');
    expect(again.effects.map(nameEffect)).toEqual(['PrepareThrottle']);
    const twice = stepThrottle(again.state as ThrottleState, prepareFailed, instant(60_010), 'alpha');
    expect(twice.effects).toEqual([]);
    expect(stepThrottle(twice.state as ThrottleState, lift, instant(60_020), 'alpha')).toEqual({
      state: null,
      effects: [],
    });
  });

  it('is extended to forked processes, and journalled before they are touched', () => {
    const wanted = (...pids: readonly number[]): ThrottleInput => ({
      type: 'ThrottleWanted',
      wish: { ...wish, processes: pids.map((pid) => ({ pid })) },
    });
    const begin = [prepared, set] as const;
    expect(feed(askThrottle(wish), ...begin, wanted(7)).trail.slice(4)).toEqual([]);
    const grown = feed(
      askThrottle(wish),
      ...begin,
      wanted(7, 8),
      { type: 'ThrottlePrepared', record: record(7, 8) },
      set,
    );
    expect(grown.trail.slice(4)).toEqual(['PrepareThrottle', 'write', 'SetThrottle']);
    const guard = feed(askThrottle(wish), ...begin, wanted(7, 9), prepared);
    expect(guard.trail.slice(4)).toEqual(['PrepareThrottle']);
    const stays = feed(askThrottle(wish), ...begin, wanted(7, 8), prepareFailed);
    expect(stays.trail.slice(4)).toEqual(['PrepareThrottle']);
    expect(stays.state?.phase).toBe('set');
  });

  it('is lifted when its target rests for a long time, not when it pauses', () => {
    const rested: ThrottleInput = { type: 'TargetRested', reason: 'light' };
    const { state } = feed(askThrottle(wish), prepared, set, rested);
    const step = (from: ThrottleState | null, input: ThrottleInput, ms: number): Step<ThrottleState | null> =>
      stepThrottle(from as ThrottleState, input, instant(ms), 'alpha');
    expect(step(state, rested, 20_010).effects).toEqual([]);
    expect(step(state, rested, 20_020).effects.map(nameEffect)).toEqual(['UndoThrottle']);
    const woken = step(state, { type: 'ThrottleWanted', wish }, 10_000).state;
    const again = step(woken, rested, 20_020);
    expect(again.effects).toEqual([]);
    expect(step(again.state, rested, 40_020).effects.map(nameEffect)).toEqual(['UndoThrottle']);
  });

  it('of an earlier boot is set again without a report, and undone with one', () => {
    const resumed = resumeThrottle({ wish, record: record(7) });
    expect(feed(resumed, set, lift, undone).trail).toEqual(['SetThrottle', 'UndoThrottle', 'unthrottled', 'forget']);
    expect(feed(resumed, setFailed, undone)).toEqual({
      state: null,
      trail: ['SetThrottle', 'UndoThrottle', 'unthrottled', 'forget'],
    });
  });

  it('reports process, share, method and reason', () => {
    const { state } = feed(askThrottle(wish), prepared);
    const step = stepThrottle(state as ThrottleState, set, instant(0), 'alpha');
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
