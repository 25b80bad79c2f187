/** The end of a run: its outputs, its result and the repeats; also a restart in each phase. */
import { describe, expect, it } from 'vitest';
import { fromGuestRecord, outliveMachine, type GuestRecord } from '../../../src/core/receiver/guest.js';
import { stepReceiver } from '../../../src/core/receiver/step.js';
import { describeEffects } from '../../support/effect-text.js';
import { instant, receiverRules } from '../../support/samples.js';
import {
  claimed,
  collecting,
  ended,
  exited,
  feed,
  fetching,
  handle,
  lease,
  pass,
  running,
  starting,
  type GuestRun,
  wakeOf,
} from './receiver-run.js';

const restart = { migrate: 'restart' } as const;
const wanted = { type: 'VacateWanted', reason: 'beta drains' } as const;

describe('a run', () => {
  it('that has started renews its lease and journals its process', () => {
    expect(running().effects).toEqual(['progress 1 running 1002', 'persist running']);
  });

  it('that exits has its outputs collected', () => {
    const run = feed(running({ outputs: ['*.txt'] }), exited);
    expect(run.effects).toEqual(['collect [*.txt]']);
    expect(run.guest).toMatchObject({
      phase: 'collecting',
      result: { outcome: 'exited', exit_code: 0, run_ms: 20, cpu_s: 0.5 },
    });
  });

  it('that exits before its start was reported still counts', () => {
    expect(feed(starting(), exited).guest?.phase).toBe('collecting');
  });

  it('publishes its result with its outputs', () => {
    const run = feed(collecting(), { type: 'Collected', bundle: { sha256: 'c'.repeat(64), bytes: 9, count: 2 } });
    expect(run.raw).toMatchObject([
      {
        kind: 'result',
        body: { outcome: 'exited', outputs_count: 2, outputs_bytes: 9, manifest_sha256: 'c'.repeat(64) },
      },
    ]);
  });

  it('whose outputs cannot be read now is collected again', () => {
    const failed = feed(collecting(), { type: 'CollectFailed', reason: 'no space', final: false });
    expect(failed.guest).toMatchObject({ phase: 'collecting' });
    expect(failed.effects).toEqual([]);
    const again = feed(failed, { type: 'TimePassed' }, failed.guest?.repeatAt);
    expect(again.effects).toContain('collect []');
  });

  it('whose outputs can never be read keeps its files and reports where', () => {
    const run = feed(collecting(), { type: 'CollectFailed', reason: 'a name that cannot travel', final: true });
    expect(run.guest).toMatchObject({
      phase: 'ended',
      keepsFiles: true,
      result: { outcome: 'exited', outputs_count: 0 },
    });
    expect(run.guest?.result?.reason).toContain('a name that cannot travel');
    const released = feed(run, lease('settled', 0));
    expect(released.raw).toContainEqual(expect.objectContaining({ type: 'RemoveGuest', files: false }));
  });

  it('that dies reports why', () => {
    expect(feed(running(), { type: 'RunDied', reason: 'the machine was restarted' }).guest).toMatchObject({
      result: { outcome: 'died', reason: 'the machine was restarted' },
    });
  });

  it.each<[string, GuestRun, string]>([
    ['cancelled', feed(running(), lease('cancel', 0)), 'cancelled'],
    ['vacated', feed(running(restart), lease('vacate', 0)), 'vacated'],
  ])('that was stopped to be %s reports it, whether it exits or dies', (_title, run, outcome) => {
    expect(feed(run, exited).guest?.result?.outcome).toBe(outcome);
    expect(feed(run, { type: 'RunDied', reason: 'killed' }).guest?.result?.outcome).toBe(outcome);
  });

  it('that was vacated returns its whole directory', () => {
    expect(feed(feed(running(restart), wanted), exited).effects).toEqual(['collect everything']);
  });

  it('whose directory cannot be read cannot be moved, and has died', () => {
    const stopped = feed(feed(running(restart), wanted), exited);
    expect(feed(stopped, { type: 'CollectFailed', reason: 'no space', final: true }).guest).toMatchObject({
      result: { outcome: 'died' },
    });
  });

  it('leaves its machine on request only if it may be moved', () => {
    expect(feed(running(), wanted).effects).toEqual([]);
    expect(feed(running(restart), wanted).guest).toMatchObject({ stopping: 'vacate', stopReason: 'beta drains' });
    expect(feed(fetching(), wanted).effects).toEqual([]);
  });

  it.each<[string, GuestRun]>([
    ['claimed', claimed()],
    ['fetching', fetching()],
    ['collecting', collecting()],
    ['ended', ended()],
  ])('cannot exit when it is %s', (_title, run) => {
    expect(feed(run, exited)).toMatchObject({ guest: run.guest, effects: [] });
    expect(feed(run, { type: 'RunDied', reason: 'x' })).toMatchObject({ guest: run.guest, effects: [] });
    expect(feed(run, { type: 'RunStarted', handle })).toMatchObject({ guest: run.guest, effects: [] });
  });
});

describe('a result', () => {
  it('is repeated with growing pauses until it is settled', () => {
    const said: number[] = [];
    let run = ended();
    for (let ms = 0; ms <= 2000; ms += 50) {
      run = pass(run, ms);
      if (run.effects.length > 0) said.push(ms);
    }
    expect(said).toEqual([100, 300, 700, 1100, 1500, 1900]);
  });

  it('is given up if nobody has asked for it for very long', () => {
    expect(pass(ended(), 60_000)).toMatchObject({ guest: null, effects: ['RemoveGuest', 'persist nothing'] });
    expect(wakeOf(pass(pass(ended(), 59_900), 59_950))).toBe(60_000);
  });
});

describe('restart', () => {
  /** Restarts the guest from its last journalled record. */
  function again(run: GuestRun): GuestRun {
    const rules = { ...receiverRules, renewalBase: 2000 };
    const guest = fromGuestRecord(run.guest as GuestRecord, instant(9000), rules);
    const { state, effects } = stepReceiver(guest, { type: 'NodeRestarted' }, instant(9000), rules);
    return { guest: state, effects: describeEffects(effects), raw: effects, ms: 9000 };
  }

  it.each<[string, GuestRun, string, readonly string[]]>([
    ['fetching: it was certainly not started', fetching(), 'ended', ['result 1 refused']],
    ['starting: it is looked for', starting(), 'starting', ['AdoptRun']],
    ['running: it is looked for', running(), 'running', ['AdoptRun']],
    [
      'being stopped: it is looked for and stopped again',
      feed(running(), lease('cancel', 0)),
      'running',
      ['AdoptRun', 'StopRun grace 1000'],
    ],
    ['ended: its result is published', ended(), 'ended', []],
  ])('%s', (_title, run, phase, effects) => {
    const after = again(run);
    expect(after.guest?.phase).toBe(phase);
    expect(after.effects).toEqual(effects);
  });

  it('renews the lease of a run that is found with numbers above all earlier ones', () => {
    expect(feed(again(running()), { type: 'RunStarted', handle }).effects).toEqual([
      'progress 1 running 2001',
      'persist running',
    ]);
  });

  it('refuses a run that certainly never started', () => {
    expect(feed(again(starting()), { type: 'RunFailed', reason: 'never started' }).guest).toMatchObject({
      result: { outcome: 'refused' },
    });
  });

  it('does not refuse a run that may have started before the power loss', () => {
    const rules = { ...receiverRules, renewalBase: 2000 };
    const guest = fromGuestRecord(outliveMachine(starting().guest as GuestRecord), instant(9000), rules);
    const { state, effects } = stepReceiver(guest, { type: 'NodeRestarted' }, instant(9000), rules);
    const found: GuestRun = { guest: state, effects: describeEffects(effects), raw: effects, ms: 9000 };
    expect(found.effects).toEqual(['AdoptRun']);
    expect(feed(found, { type: 'RunFailed', reason: 'never started' }).guest).toMatchObject({
      result: { outcome: 'died' },
    });
  });

  it('extends no watchdog before the owner has answered', () => {
    expect(pass(again(running()), 9000).effects).toEqual(['progress 1 running 2001']);
  });

  it('publishes the result of an ended guest at once', () => {
    expect(pass(again(ended()), 9000).effects).toEqual(['result 1 exited']);
  });
});
