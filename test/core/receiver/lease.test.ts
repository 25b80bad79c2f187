/** The lease as its receiver keeps it: it must end here before the owner may believe that it has ended. */
import { describe, expect, test } from 'vitest';
import {
  claimed,
  collecting,
  ended,
  exited,
  feed,
  fetching,
  lease,
  pass,
  running,
  starting,
  type GuestRun,
  wakeOf,
} from './receiver-run.js';

const restart = { migrate: 'restart' } as const;

describe('renewals', () => {
  test('they are sent three times in the length of a lease', () => {
    expect(pass(running(), 1999).effects).toEqual([]);
    expect(pass(running(), 2000).effects).toEqual(['progress 1 running 1003']);
    expect(wakeOf(pass(running(), 2000))).toBe(4000);
  });

  test('an answer extends the lease from the sending of the answered renewal, not from its coming', () => {
    const sent = pass(running(), 2000);
    const answered = feed(sent, lease('hold', 1003), 5000);
    expect(answered.guest).toMatchObject({ leaseEndsAt: 8000 });
    expect(answered.effects).toEqual(['ExtendRun guard 8500']);
  });

  test.each<[string, Parameters<typeof lease>]>([
    ['an answer to a renewal that was never sent', ['hold', 4711]],
    ['an answer to an older renewal than one that was answered', ['hold', 1002]],
    ['an answer for another member', ['hold', 1003, { to: 'gamma' }]],
    ['an answer of another epoch', ['hold', 1003, { epoch: 2 }]],
  ])('%s extends nothing', (_title, answer) => {
    const run = feed(feed(pass(running(), 2000), lease('hold', 1003), 2100), lease(...answer), 2200);
    expect(run).toMatchObject({ guest: { leaseEndsAt: 8000 }, effects: [] });
  });

  test('an answer that comes when the lease is over does not revive it', () => {
    const sent = pass(running(), 2000);
    expect(feed(sent, lease('hold', 1003), 6000)).toMatchObject({ guest: { leaseEndsAt: 6000 }, effects: [] });
    const stopped = pass(sent, 6000);
    expect(feed(stopped, lease('hold', 1003), 6010)).toMatchObject({ guest: { stopping: 'lease' }, effects: [] });
  });
});

describe('a guardian in doubt', () => {
  test('its owner is asked at once, and only an answer to what was said from then on extends the lease', () => {
    const sent = pass(running(), 2000);
    const doubted = feed(sent, { type: 'RunDoubted' }, 2500);
    expect(doubted.effects).toEqual(['progress 1 running 1004']);
    expect(feed(doubted, lease('hold', 1003), 2600)).toMatchObject({ guest: { leaseEndsAt: 6000 }, effects: [] });
    const answered = feed(doubted, lease('hold', 1004), 2600);
    expect(answered).toMatchObject({ guest: { leaseEndsAt: 8500 }, effects: ['ExtendRun guard 9000'] });
  });

  test('of what does not run here nothing is asked', () => {
    expect(feed(fetching(), { type: 'RunDoubted' }, 2500).effects).toEqual([]);
  });
});

describe('the end of a lease', () => {
  test('it stops the run, the cause written down first', () => {
    const run = pass(feed(running(), lease('hold', 1002)), 6000);
    expect(run.effects).toEqual(['persist running, stopping: lease', 'StopRun grace 500']);
  });

  test('it stops a run that may have started', () => {
    expect(pass(starting(), 6000).guest).toMatchObject({ stopping: 'lease' });
  });

  test('it overrules a stop that takes its time', () => {
    const vacating = feed(running(restart), { type: 'VacateWanted', reason: 'beta drains' }, 5900);
    expect(pass(vacating, 6000).effects).toEqual(['persist running, stopping: lease', 'StopRun grace 500']);
  });

  test('the run that was stopped for it died: its outputs count for nothing', () => {
    const run = feed(pass(running(), 6000), exited, 6100);
    expect(run.effects).toEqual(['result 1 died']);
    expect(run.guest).toMatchObject({
      phase: 'ended',
      result: { reason: 'its lease ended: the owner did not answer' },
    });
  });

  test('a run that has ended has no lease to lose', () => {
    expect(pass(collecting(), 6000).guest?.phase).toBe('collecting');
  });
});

describe('a guardian in doubt', () => {
  const doubted = { type: 'RunDoubted' } as const;

  test('the lease is renewed at once, and what was said before is answered too late', () => {
    const asked = feed(pass(running(), 2000), doubted, 3000);
    expect(asked.effects).toEqual(['progress 1 running 1004']);
    const late = feed(asked, lease('hold', 1003), 3100);
    expect(late).toMatchObject({ guest: { leaseEndsAt: 6000 }, effects: [] });
    expect(feed(late, lease('hold', 1004), 3200)).toMatchObject({
      guest: { leaseEndsAt: 9000 },
      effects: ['ExtendRun guard 9500'],
    });
  });

  test('the next renewal follows soon when that one is lost', () => {
    const asked = feed(running(), doubted, 3000);
    expect(wakeOf(asked)).toBe(3500);
    expect(feed(pass(asked, 3500), lease('hold', 1004), 3600).effects).toEqual(['ExtendRun guard 10000']);
  });

  test('the lease ends when it did, whoever is in doubt', () => {
    const run = pass(feed(running(), doubted, 5900), 6000);
    expect(run.effects).toEqual(['persist running, stopping: lease', 'StopRun grace 500']);
    expect(feed(run, lease('hold', 1003), 6010)).toMatchObject({ guest: { stopping: 'lease' }, effects: [] });
  });

  test('a run that may have started is renewed as well', () => {
    expect(feed(starting(), doubted, 100).effects).toEqual(['progress 1 starting 1002']);
  });

  test.each([
    ['claimed', claimed],
    ['fetching', fetching],
    ['collecting', collecting],
    ['ended', ended],
  ])('%s: there is nothing that it could be about', (_phase, create) => {
    const before = create();
    expect(feed(before, doubted, 100)).toEqual({ ...before, effects: [], raw: [], ms: 100 });
  });
});

describe('orders', () => {
  test.each<[string, GuestRun, string, readonly string[]]>([
    ['claimed: the ack was lost, so nothing started', claimed(), 'ended', ['result 1 refused']],
    ['fetching: it ends', fetching(), 'ended', ['result 1 cancelled']],
    ['starting: it is stopped', starting(), 'starting', ['persist starting, stopping: cancel', 'StopRun grace 1000']],
    ['running: it is stopped', running(), 'running', ['persist running, stopping: cancel', 'StopRun grace 1000']],
    ['collecting: it has ended', collecting(), 'collecting', []],
    ['ended: its result is said again', ended(), 'ended', []],
  ])('cancel, %s', (_title, run, phase, effects) => {
    const after = feed(run, lease('cancel', 0), 50);
    expect(after.guest?.phase).toBe(phase);
    expect(after.effects).toEqual(effects);
  });

  test('an ended guest that is asked again says its result at once', () => {
    expect(wakeOf(feed(ended(), lease('cancel', 0), 50))).toBe(50);
  });

  test.each<[string, GuestRun, string, readonly string[]]>([
    ['fetching: it is given back', fetching(), 'ended', ['result 1 refused']],
    [
      'running: it is stopped',
      running(restart),
      'running',
      ['persist running, stopping: vacate', 'StopRun grace 1000'],
    ],
    ['running and not to be moved: it runs on', running(), 'running', []],
    ['collecting: it has ended', collecting(), 'collecting', []],
  ])('vacate, %s', (_title, run, phase, effects) => {
    const after = feed(run, lease('vacate', 0), 50);
    expect(after.guest?.phase).toBe(phase);
    expect(after.effects).toEqual(effects);
  });

  test('vacate extends the lease too: the stop takes its time', () => {
    const run = feed(pass(running(restart), 2000), lease('vacate', 1003), 2100);
    expect(run.effects).toEqual(['ExtendRun guard 8500', 'persist running, stopping: vacate', 'StopRun grace 1000']);
  });

  test('cancel overrules vacate, not the other way', () => {
    const vacating = feed(running(restart), lease('vacate', 0));
    expect(feed(vacating, lease('cancel', 0)).guest).toMatchObject({ stopping: 'cancel' });
    const cancelled = feed(running(restart), lease('cancel', 0));
    expect(feed(cancelled, lease('vacate', 0))).toMatchObject({ guest: { stopping: 'cancel' }, effects: [] });
  });

  describe.each(['settled', 'gone'] as const)('%s', (order) => {
    test.each<[string, GuestRun, readonly string[]]>([
      ['a fetching guest is forgotten', fetching(), ['RemoveGuest', 'persist nothing']],
      ['a collecting guest is forgotten', collecting(), ['RemoveGuest', 'persist nothing']],
      ['an ended guest is forgotten', ended(), ['RemoveGuest', 'persist nothing']],
    ])('%s', (_title, run, effects) => {
      expect(feed(run, lease(order, 0))).toMatchObject({ guest: null, effects });
    });

    test('a running one is stopped first', () => {
      const run = feed(running(), lease(order, 0));
      expect(run.effects).toEqual(['persist running, stopping: gone', 'StopRun grace 500']);
      expect(feed(run, exited)).toMatchObject({ guest: null, effects: ['RemoveGuest', 'persist nothing'] });
      expect(feed(run, { type: 'RunDied', reason: 'killed' }).guest).toBeNull();
    });
  });
});

describe('the wall-clock limit', () => {
  const limited = feed(feed(running({ wall_ms: 3000 }), lease('hold', 1002)), { type: 'TimePassed' }, 2000);

  test('it stops the run, which then counts with its outputs', () => {
    const stopped = pass(limited, 3000);
    expect(stopped.effects).toEqual(['persist running, stopping: wall', 'StopRun grace 1000']);
    expect(feed(stopped, exited).effects).toEqual(['collect []']);
  });

  test('it is looked at in time, and once', () => {
    expect(wakeOf(limited)).toBe(3000);
    expect(pass(pass(limited, 3000), 3500).effects).toEqual([]);
  });
});
