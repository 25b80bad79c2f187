/** The twin watch: whom a node answers, when it stops to check, and what it shows of a copy. */
import { describe, expect, it } from 'vitest';
import type { NodeInput } from '../../../src/pipelines/inputs.js';
import {
  createTwinWatch,
  type TwinLeave,
  type TwinWatch,
  type TwinWatchDeps,
} from '../../../src/pipelines/identity/twin-watch.js';
import { createInfo } from '../../support/samples.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

const MINE = { instance: 'me', host: 'attic', fit: 'fits', boot: 1000 } as const;

interface Setup {
  readonly watch: TwinWatch;
  readonly clock: ManualClock;
  readonly logged: string[];
  readonly left: TwinLeave[];
}

function createSetup(change: Partial<TwinWatchDeps> = {}): Setup {
  const clock = createManualClock();
  const logged: string[] = [];
  const left: TwinLeave[] = [];
  const watch = createTwinWatch({
    self: 'alpha',
    key: 'k',
    version: '1',
    mine: MINE,
    clock,
    ignoresEarlyLinkEnds: false,
    met: [],
    log: (_level, text) => logged.push(text),
    leave: (leave) => left.push(leave),
    ...change,
  });
  return { watch, clock, logged, left };
}

function ping({ watch }: Setup, change: object = {}, signedBy: string | undefined = 'alpha'): unknown {
  const twin = { ...MINE, instance: 'other', host: 'cellar', boot: 2000, ...change };
  const answer = watch.answer({ verb: 'ping', twin }, signedBy);
  return 'data' in answer ? answer.data['yields'] : answer.error;
}

describe('a ping', () => {
  it('from anyone is answered with this node’s identity', () => {
    expect(createSetup().watch.answer({ verb: 'ping' }, undefined)).toEqual({
      data: { id: 'alpha', version: '1', twin: MINE },
    });
  });

  it('from a copy that must stay off is answered accordingly, logged once, and shown for ten minutes', () => {
    const setup = createSetup();
    expect([ping(setup), ping(setup)]).toEqual([false, false]);
    expect(setup.logged).toHaveLength(1);
    expect(setup.logged[0]).toMatch(/a copy of this node was started on cellar .* stays off/);
    expect(setup.watch.copy()).toMatch(/^cellar /);
    setup.clock.pass(10 * 60_000);
    expect(setup.watch.copy()).toBeUndefined();
    expect(setup.left).toEqual([]);
  });

  it('from a twin that takes precedence makes the node stop and check; from one that did not take over, not again', () => {
    const setup = createSetup();
    expect(ping(setup, { boot: 500 })).toBe(true);
    expect(setup.left).toMatchObject([{ why: 'suspect', boot: 0, since: 1000, met: ['other'] }]);
    const next = createSetup({ met: setup.left[0]?.met ?? [] });
    expect(ping(next, { boot: 500 })).toBe(false);
    expect(ping(next, { boot: 500, instance: 'another' })).toBe(true);
    expect(next.left).toHaveLength(1);
  });

  it.each([undefined, 'beta'])('that is signed by %s is not a twin’s', (signedBy) => {
    const setup = createSetup();
    expect(setup.watch.answer({ verb: 'ping', twin: { ...MINE, instance: 'x', boot: 1 } }, signedBy)).toEqual({
      data: { id: 'alpha', version: '1', twin: MINE },
    });
    expect(setup.left).toEqual([]);
  });

  it('of its own means nothing', () => {
    const setup = createSetup();
    expect(ping(setup, { instance: 'me', boot: 1 })).toBeUndefined();
    expect(setup.left).toEqual([]);
  });
});

describe('a connection', () => {
  const online: NodeInput = { type: 'LinkChanged', online: true, reason: '' };
  const offline = (change: object): NodeInput => ({
    type: 'LinkChanged',
    online: false,
    reason: 'it ended',
    ...change,
  });

  it('that was taken over makes the node check', () => {
    const { watch, left } = createSetup();
    watch.handle(online);
    watch.handle(offline({ takenOver: true, ended: true }));
    expect(left).toMatchObject([{ why: 'suspect', reason: 'it ended: it may be a copy of this node' }]);
  });

  it('that the broker ends soon, three times in a row, makes the node check', () => {
    const { watch, left, clock } = createSetup();
    for (const livedMs of [1000, 40_000, 1000, 1000, 1000]) {
      expect(left).toEqual([]);
      watch.handle(online);
      clock.pass(livedMs);
      watch.handle(offline({ ended: true }));
      watch.handle(offline({}));
    }
    expect(left).toHaveLength(1);
  });

  it('that breaks without the broker means nothing', () => {
    const { watch, left } = createSetup();
    for (let count = 0; count < 5; count += 1) {
      watch.handle(online);
      watch.handle(offline({}));
    }
    expect(left).toEqual([]);
  });

  it('means nothing for ten minutes after a check that found no twin', () => {
    const { watch, left, clock } = createSetup({ ignoresEarlyLinkEnds: true });
    watch.handle(online);
    watch.handle(offline({ takenOver: true }));
    expect(left).toEqual([]);
    clock.pass(10 * 60_000);
    watch.handle(offline({ takenOver: true }));
    expect(left).toHaveLength(1);
  });
});

it('a trace of another boot makes the node check, once, with that boot', () => {
  const { watch, left } = createSetup();
  watch.handle({ type: 'TwinTraced', boot: 7, reason: 'why' });
  watch.handle({ type: 'TwinTraced', boot: 8, reason: 'why' });
  expect(left).toEqual([{ why: 'suspect', reason: 'why', boot: 7, since: 1000, met: [] }]);
});

it('another id with the same key is logged once', () => {
  const { watch, logged } = createSetup();
  const stamped = { v: 1, ts: '', boot: 1, seq: 1 } as const;
  watch.handleBirth('beta', { ...createInfo({ key: 'x' }), ...stamped });
  watch.handleBirth('omega', { ...createInfo({ key: 'k', host: 'cellar' }), ...stamped });
  watch.handleBirth('omega', { ...createInfo({ key: 'k', host: 'cellar' }), ...stamped });
  expect(logged).toHaveLength(1);
  expect(logged[0]).toMatch(/^node omega on cellar has the key of this node/);
});
