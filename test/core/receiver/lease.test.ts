/** The lease as the receiver keeps it: it must end here before the owner may assume that it has ended. */
import { describe, expect, it } from 'vitest';
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
  it('are sent three times per lease', () => {
    expect(pass(running(), 1999).effects).toEqual([]);
    expect(pass(running(), 2000).effects).toEqual(['progress 1 running 1003']);
    expect(wakeOf(pass(running(), 2000))).toBe(4000);
  });

  it('extend the lease from when they were sent, not from when they were answered', () => {
    const sent = pass(running(), 2000);
    const answered = feed(sent, lease('hold', 1003), 5000);
    expect(answered.guest).toMatchObject({ leaseEndsAt: 8000 });
    expect(answered.effects).toEqual(['ExtendRun guard 8500']);
  });

  it.each<[string, Parameters<typeof lease>]>([
    ['an answer to a renewal that was never sent', ['hold', 4711]],
    ['an answer to an older renewal than the last answered one', ['hold', 1002]],
    ['an answer for another member', ['hold', 1003, { to: 'gamma' }]],
    ['an answer of another epoch', ['hold', 1003, { epoch: 2 }]],
  ])('%s extends nothing', (_title, answer) => {
    const run = feed(feed(pass(running(), 2000), lease('hold', 1003), 2100), lease(...answer), 2200);
    expect(run).toMatchObject({ guest: { leaseEndsAt: 8000 }, effects: [] });
  });

  it('do not revive a lease that is over', () => {
    const sent = pass(running(), 2000);
    expect(feed(sent, lease('hold', 1003), 6000)).toMatchObject({ guest: { leaseEndsAt: 6000 }, effects: [] });
    const stopped = pass(sent, 6000);
    expect(feed(stopped, lease('hold', 1003), 6010)).toMatchObject({ guest: { stopping: 'lease' }, effects: [] });
  });
});

describe('a watchdog in doubt', () => {
  it('asks the owner at once, and only an answer to a later renewal extends the lease', () => {
    const sent = pass(running(), 2000);
    const doubted = feed(sent, { type: 'RunDoubted' }, 2500);
    expect(doubted.effects).toEqual(['progress 1 running 1004']);
    expect(feed(doubted, lease('hold', 1003), 2600)).toMatchObject({ guest: { leaseEndsAt: 6000 }, effects: [] });
    const answered = feed(doubted, lease('hold', 1004), 2600);
    expect(answered).toMatchObject({ guest: { leaseEndsAt: 8500 }, effects: ['ExtendRun guard 9000'] });
  });

  it('asks nothing about a guest that does not run here', () => {
    expect(feed(fetching(), { type: 'RunDoubted' }, 2500).effects).toEqual([]);
  });
});

describe('the end of a lease', () => {
  it('stops the run after journalling the cause', () => {
    const run = pass(feed(running(), lease('hold', 1002)), 6000);
    expect(run.effects).toEqual(['persist running, stopping: lease', 'StopRun grace 500']);
  });

  it('stops a run that may have started', () => {
    expect(pass(starting(), 6000).guest).toMatchObject({ stopping: 'lease' });
  });

  it('overrides a stop with a longer grace period', () => {
    const vacating = feed(running(restart), { type: 'VacateWanted', reason: 'beta drains' }, 5900);
    expect(pass(vacating, 6000).effects).toEqual(['persist running, stopping: lease', 'StopRun grace 500']);
  });

  it('turns the stopped run into a death without outputs', () => {
    const run = feed(pass(running(), 6000), exited, 6100);
    expect(run.effects).toEqual(['result 1 died']);
    expect(run.guest).toMatchObject({
      phase: 'ended',
      result: { reason: 'its lease ended: the owner did not answer' },
    });
  });

  it('does not affect a run that has ended', () => {
    expect(pass(collecting(), 6000).guest?.phase).toBe('collecting');
  });
});

describe('a watchdog in doubt', () => {
  const doubted = { type: 'RunDoubted' } as const;

  it('renews the lease at once, and answers to earlier renewals no longer count', () => {
    const asked = feed(pass(running(), 2000), doubted, 3000);
    expect(asked.effects).toEqual(['progress 1 running 1004']);
    const late = feed(asked, lease('hold', 1003), 3100);
    expect(late).toMatchObject({ guest: { leaseEndsAt: 6000 }, effects: [] });
    expect(feed(late, lease('hold', 1004), 3200)).toMatchObject({
      guest: { leaseEndsAt: 9000 },
      effects: ['ExtendRun guard 9500'],
    });
  });

  it('sends the next renewal soon if that one is lost', () => {
    const asked = feed(running(), doubted, 3000);
    expect(wakeOf(asked)).toBe(3500);
    expect(feed(pass(asked, 3500), lease('hold', 1004), 3600).effects).toEqual(['ExtendRun guard 10000']);
  });

  it('does not change when the lease ends', () => {
    const run = pass(feed(running(), doubted, 5900), 6000);
    expect(run.effects).toEqual(['persist running, stopping: lease', 'StopRun grace 500']);
    expect(feed(run, lease('hold', 1003), 6010)).toMatchObject({ guest: { stopping: 'lease' }, effects: [] });
  });

  it('renews a run that may have started, too', () => {
    expect(feed(starting(), doubted, 100).effects).toEqual(['progress 1 starting 1002']);
  });

  it.each([
    ['claimed', claimed],
    ['fetching', fetching],
    ['collecting', collecting],
    ['ended', ended],
  ])('is ignored for a guest that is %s', (_phase, create) => {
    const before = create();
    expect(feed(before, doubted, 100)).toEqual({ ...before, effects: [], raw: [], ms: 100 });
  });
});

describe('orders', () => {
  it.each<[string, GuestRun, string, readonly string[]]>([
    ['claimed: the ack was lost, so nothing started', claimed(), 'ended', ['result 1 refused']],
    ['fetching: it ends', fetching(), 'ended', ['result 1 cancelled']],
    ['starting: it is stopped', starting(), 'starting', ['persist starting, stopping: cancel', 'StopRun grace 1000']],
    ['running: it is stopped', running(), 'running', ['persist running, stopping: cancel', 'StopRun grace 1000']],
    ['collecting: it has ended', collecting(), 'collecting', []],
    ['ended: its result is repeated', ended(), 'ended', []],
  ])('cancel, %s', (_title, run, phase, effects) => {
    const after = feed(run, lease('cancel', 0), 50);
    expect(after.guest?.phase).toBe(phase);
    expect(after.effects).toEqual(effects);
  });

  it('make an ended guest repeat its result at once', () => {
    expect(wakeOf(feed(ended(), lease('cancel', 0), 50))).toBe(50);
  });

  it.each<[string, GuestRun, string, readonly string[]]>([
    ['fetching: it is refused', fetching(), 'ended', ['result 1 refused']],
    [
      'running: it is stopped',
      running(restart),
      'running',
      ['persist running, stopping: vacate', 'StopRun grace 1000'],
    ],
    ['running and not movable: it runs on', running(), 'running', []],
    ['collecting: it has ended', collecting(), 'collecting', []],
  ])('vacate, %s', (_title, run, phase, effects) => {
    const after = feed(run, lease('vacate', 0), 50);
    expect(after.guest?.phase).toBe(phase);
    expect(after.effects).toEqual(effects);
  });

  it('extend the lease with vacate, too, since the stop takes time', () => {
    const run = feed(pass(running(restart), 2000), lease('vacate', 1003), 2100);
    expect(run.effects).toEqual(['ExtendRun guard 8500', 'persist running, stopping: vacate', 'StopRun grace 1000']);
  });

  it('let cancel override vacate, not the other way round', () => {
    const vacating = feed(running(restart), lease('vacate', 0));
    expect(feed(vacating, lease('cancel', 0)).guest).toMatchObject({ stopping: 'cancel' });
    const cancelled = feed(running(restart), lease('cancel', 0));
    expect(feed(cancelled, lease('vacate', 0))).toMatchObject({ guest: { stopping: 'cancel' }, effects: [] });
  });

  describe.each(['settled', 'gone'] as const)('%s', (order) => {
    it.each<[string, GuestRun, readonly string[]]>([
      ['a fetching guest is forgotten', fetching(), ['RemoveGuest', 'persist nothing']],
      ['a collecting guest is forgotten', collecting(), ['RemoveGuest', 'persist nothing']],
      ['an ended guest is forgotten', ended(), ['RemoveGuest', 'persist nothing']],
    ])('%s', (_title, run, effects) => {
      expect(feed(run, lease(order, 0))).toMatchObject({ guest: null, effects });
    });

    it('a running one is stopped first', () => {
      const run = feed(running(), lease(order, 0));
      expect(run.effects).toEqual(['persist running, stopping: gone', 'StopRun grace 500']);
      expect(feed(run, exited)).toMatchObject({ guest: null, effects: ['RemoveGuest', 'persist nothing'] });
      expect(feed(run, { type: 'RunDied', reason: 'killed' }).guest).toBeNull();
    });
  });
});

describe('the wall-clock limit', () => {
  const limited = feed(feed(running({ wall_ms: 3000 }), lease('hold', 1002)), { type: 'TimePassed' }, 2000);

  it('stops the run, whose outputs are returned', () => {
    const stopped = pass(limited, 3000);
    expect(stopped.effects).toEqual(['persist running, stopping: wall', 'StopRun grace 1000']);
    expect(feed(stopped, exited).effects).toEqual(['collect []']);
  });

  it('is checked in time, and once', () => {
    expect(wakeOf(limited)).toBe(3000);
    expect(pass(pass(limited, 3000), 3500).effects).toEqual([]);
  });
});
