/** The watch for a twin: whom a node answers, when it stops to look, and what it shows of a copy. */
import { describe, expect, it } from 'vitest';
import type { NodeInput } from '../../src/pipelines/inputs.js';
import {
  createTwinWatch,
  type TwinLeave,
  type TwinWatch,
  type TwinWatchParts,
} from '../../src/pipelines/twin-watch.js';
import { createInfo } from '../core/samples.js';
import { createManualClock, type ManualClock } from './manual-clock.js';

const MINE = { instance: 'me', host: 'attic', fit: 'fits', boot: 1000 } as const;

interface Bench {
  readonly watch: TwinWatch;
  readonly clock: ManualClock;
  readonly said: string[];
  readonly left: TwinLeave[];
}

function lay(change: Partial<TwinWatchParts> = {}): Bench {
  const clock = createManualClock();
  const said: string[] = [];
  const left: TwinLeave[] = [];
  const watch = createTwinWatch({
    self: 'alpha',
    key: 'k',
    version: '1',
    mine: MINE,
    clock,
    trustsLink: false,
    met: [],
    say: (_level, text) => said.push(text),
    leave: (leave) => left.push(leave),
    ...change,
  });
  return { watch, clock, said, left };
}

function ping({ watch }: Bench, change: object = {}, signedBy: string | undefined = 'alpha'): unknown {
  const twin = { ...MINE, instance: 'other', host: 'cellar', boot: 2000, ...change };
  const answer = watch.answer({ verb: 'ping', twin }, signedBy);
  return 'data' in answer ? answer.data['yields'] : answer.error;
}

describe('a ping', () => {
  it('of anybody is answered with who this is', () => {
    expect(lay().watch.answer({ verb: 'ping' }, undefined)).toEqual({
      data: { id: 'alpha', version: '1', twin: MINE },
    });
  });

  it('of a copy that is to stay off is answered so, told of once, and shown for ten minutes', () => {
    const bench = lay();
    expect([ping(bench), ping(bench)]).toEqual([false, false]);
    expect(bench.said).toHaveLength(1);
    expect(bench.said[0]).toMatch(/a copy of this node was started on cellar .* stays off/);
    expect(bench.watch.copy()).toMatch(/^cellar /);
    bench.clock.pass(10 * 60_000);
    expect(bench.watch.copy()).toBeUndefined();
    expect(bench.left).toEqual([]);
  });

  it('of one that is to go on makes the node stop and look; of one that did not come, not again', () => {
    const bench = lay();
    expect(ping(bench, { boot: 500 })).toBe(true);
    expect(bench.left).toMatchObject([{ why: 'suspect', boot: 0, since: 1000, met: ['other'] }]);
    const next = lay({ met: bench.left[0]?.met ?? [] });
    expect(ping(next, { boot: 500 })).toBe(false);
    expect(ping(next, { boot: 500, instance: 'another' })).toBe(true);
    expect(next.left).toHaveLength(1);
  });

  it.each([undefined, 'beta'])('that is signed by %s is no twin’s', (signedBy) => {
    const bench = lay();
    expect(bench.watch.answer({ verb: 'ping', twin: { ...MINE, instance: 'x', boot: 1 } }, signedBy)).toEqual({
      data: { id: 'alpha', version: '1', twin: MINE },
    });
    expect(bench.left).toEqual([]);
  });

  it('of its own says nothing', () => {
    const bench = lay();
    expect(ping(bench, { instance: 'me', boot: 1 })).toBeUndefined();
    expect(bench.left).toEqual([]);
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

  it('that was taken over makes the node look', () => {
    const { watch, left } = lay();
    watch.take(online);
    watch.take(offline({ takenOver: true, ended: true }));
    expect(left).toMatchObject([{ why: 'suspect', reason: 'it ended: it may be a copy of this node' }]);
  });

  it('that the broker ends soon, three times in a row, makes the node look', () => {
    const { watch, left, clock } = lay();
    for (const livedMs of [1000, 40_000, 1000, 1000, 1000]) {
      expect(left).toEqual([]);
      watch.take(online);
      clock.pass(livedMs);
      watch.take(offline({ ended: true }));
      watch.take(offline({}));
    }
    expect(left).toHaveLength(1);
  });

  it('that breaks by itself says nothing', () => {
    const { watch, left } = lay();
    for (let count = 0; count < 5; count += 1) {
      watch.take(online);
      watch.take(offline({}));
    }
    expect(left).toEqual([]);
  });

  it('says nothing for ten minutes after a look that found nobody', () => {
    const { watch, left, clock } = lay({ trustsLink: true });
    watch.take(online);
    watch.take(offline({ takenOver: true }));
    expect(left).toEqual([]);
    clock.pass(10 * 60_000);
    watch.take(offline({ takenOver: true }));
    expect(left).toHaveLength(1);
  });
});

it('a trace of another run makes the node look, once, with that run', () => {
  const { watch, left } = lay();
  watch.take({ type: 'TwinTraced', boot: 7, reason: 'why' });
  watch.take({ type: 'TwinTraced', boot: 8, reason: 'why' });
  expect(left).toEqual([{ why: 'suspect', reason: 'why', boot: 7, since: 1000, met: [] }]);
});

it('another id with the same key is told of once', () => {
  const { watch, said } = lay();
  const stamped = { v: 1, ts: '', boot: 1, seq: 1 } as const;
  watch.meet('beta', { ...createInfo({ key: 'x' }), ...stamped });
  watch.meet('omega', { ...createInfo({ key: 'k', host: 'cellar' }), ...stamped });
  watch.meet('omega', { ...createInfo({ key: 'k', host: 'cellar' }), ...stamped });
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/^node omega on cellar has the key of this node/);
});
