/** The direct path as the receiver uses it: the path of each renewal, what extends the lease, and overtaken orders. */
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../../src/core/effects.js';
import type { Guest } from '../../../src/core/receiver/guest.js';
import type { GuestInput } from '../../../src/core/receiver/inputs.js';
import { stepReceiver } from '../../../src/core/receiver/step.js';
import type { Lease, LeaseOrder } from '../../../src/protocol/work-messages.js';
import { describeEffects } from '../../support/effect-text.js';
import { instant, receiverRules } from '../../support/samples.js';
import { ack, claimed, exited, feed, handle, type GuestRun } from './receiver-run.js';

const URLS = ['https://127.0.0.1:4000'];

/** A guest that has run since 0, of an owner that accepts messages; renewals 1002 and 1003 were sent. */
function running(change: Parameters<typeof ack>[0] = {}): GuestRun {
  return feed(feed(claimed(), ack({ urls: URLS, direct: true, lease_ms: 60_000, ...change })), {
    type: 'RunStarted',
    handle,
  });
}

interface Word {
  readonly order?: LeaseOrder;
  readonly seq?: number;
  readonly path?: 'direct';
  readonly move?: number;
}

function order(renewal: number, { order: what = 'hold', seq = renewal, path, move }: Word = {}): GuestInput {
  const lease: Lease = { epoch: 1, to: 'beta', renewal, order: what, ...(move === undefined ? {} : { move }) };
  return { type: 'LeaseHeard', lease, number: { boot: 1, seq }, path };
}

function stepAlone(
  run: GuestRun,
  input: GuestInput,
  ms: number,
): { guest: Guest | null; effects: readonly string[]; raw: readonly Effect[] } {
  if (run.guest === null) throw new Error('the guest is forgotten');
  const { state, effects } = stepReceiver(run.guest, input, instant(ms), { ...receiverRules, isAlone: true });
  return { guest: state, effects: describeEffects(effects), raw: effects };
}

describe('a renewal', () => {
  it('that is the first of an epoch takes both paths, with a number for each', () => {
    expect(running().effects.slice(0, 2)).toEqual(['progress 1 running 1002', 'progress 1 running 1003, direct']);
  });

  it('takes the bus as long as it brings answers', () => {
    const answered = feed(feed(running(), order(1002), 10), order(1003, { path: 'direct' }), 20);
    expect(feed(answered, { type: 'TimePassed' }, 20_000).effects).toEqual(['progress 1 running 1004']);
  });

  it('takes the other path after 5 s without an answer', () => {
    const answered = feed(feed(running(), order(1002), 10), order(1003, { path: 'direct' }), 20);
    const asked = feed(answered, { type: 'TimePassed' }, 20_000);
    const other = feed(asked, { type: 'TimePassed' }, (asked.guest?.renewAt ?? 0) + 5000);
    expect(other.effects).toEqual(['progress 1 running 1005, direct']);
    const back = feed(other, { type: 'TimePassed' }, other.guest?.renewAt);
    expect(back.effects).toEqual(['progress 1 running 1006']);
  });

  it('takes the direct path while the broker is away', () => {
    const answered = feed(running(), order(1003, { path: 'direct' }), 20);
    expect(stepAlone(answered, { type: 'TimePassed' }, 20_000).effects).toEqual(['progress 1 running 1004, direct']);
  });

  it('takes only the bus to an owner of an earlier version', () => {
    const old = running({ direct: undefined });
    expect(old.effects.slice(0, 1)).toEqual(['progress 1 running 1002']);
    expect(stepAlone(old, { type: 'TimePassed' }, 20_000).effects).toEqual(['progress 1 running 1003']);
  });

  it('answers a call on the direct path over it', () => {
    const call = { ...ack({ urls: URLS, direct: true, lease_ms: 60_000 }), path: 'direct' } as GuestInput;
    expect(feed(running(), call, 9000).effects).toEqual(['progress 1 running 1004, direct']);
  });

  it('probes the direct path once a minute until it has worked', () => {
    const cut = feed(running(), order(1002), 10);
    const later = feed(cut, { type: 'TimePassed' }, 20_000);
    expect(later.effects).toEqual(['progress 1 running 1004']);
    const answered = feed(later, order(1004), 20_010);
    const again = feed(answered, { type: 'TimePassed' }, 60_000);
    expect(again.effects).toEqual(['progress 1 running 1005', 'progress 1 running 1006, direct']);
  });

  it('reports whether the direct path works, once that is known', () => {
    const told = (run: GuestRun): unknown[] =>
      run.raw.map((effect) =>
        effect.type === 'Publish' && effect.kind === 'progress' ? effect.body.direct : undefined,
      );
    const cut = feed(running(), order(1002), 10);
    expect(told(feed(cut, { type: 'TimePassed' }, 20_000))).toEqual([false]);
    const whole = feed(cut, order(1003, { path: 'direct' }), 20);
    expect(told(feed(whole, { type: 'TimePassed' }, 20_000))).toEqual([true]);
    expect(told(running())[0]).toBeUndefined();
  });
});

describe('a lease', () => {
  it('is extended from when the answered renewal was sent, on whichever path', () => {
    const asked = stepAlone(running(), { type: 'TimePassed' }, 30_000);
    const late = feed({ ...running(), guest: asked.guest }, order(1004, { path: 'direct' }), 44_000);
    expect(late.guest?.leaseEndsAt).toBe(90_000);
  });

  it('is not extended by an answer to an unsent renewal', () => {
    const before = running();
    for (const renewal of [0, 1001, 1099])
      expect(feed(before, order(renewal, { path: 'direct' }), 30_000).guest?.leaseEndsAt).toBe(60_000);
  });
});

describe('an order', () => {
  it('that a later one has overtaken changes nothing', () => {
    const frozen = feed(running(), order(0, { order: 'checkpoint', seq: 20, move: 1 }), 100);
    const refused = feed(frozen, { type: 'FreezeFailed', reason: 'it has a socket' }, 200);
    expect(refused.guest?.refused).toBe('it has a socket');
    const overtaken = feed(refused, order(1002, { seq: 19, path: 'direct' }), 300);
    expect(overtaken).toMatchObject({ effects: [], guest: { refused: 'it has a socket' } });
  });

  it('from a later boot of the owner counts, whatever its number', () => {
    const before = feed(running(), order(1002, { seq: 50 }), 100);
    const later = feed(before, {
      ...order(0, { order: 'cancel', seq: 2 }),
      number: { boot: 2, seq: 2 },
    } as GuestInput);
    expect(later.guest?.stopping).toBe('cancel');
  });
});

describe('a result', () => {
  const bundle = { sha256: 'c'.repeat(64), bytes: 0, count: 0 };

  it('takes the bus first, and both paths after a while', () => {
    const told = feed(feed(running(), exited, 100), { type: 'Collected', bundle }, 100);
    expect(told.effects).toEqual(['result 1 exited']);
    expect(feed(told, { type: 'TimePassed' }, 6000).effects).toEqual(['result 1 exited, both ways']);
  });

  it('takes the direct path at once while the broker is away', () => {
    const collecting = feed(running(), exited, 100);
    expect(stepAlone(collecting, { type: 'Collected', bundle }, 100).effects).toEqual(['result 1 exited, both ways']);
  });

  it('that has arrived is kept until the order to forget it', () => {
    const told = feed(feed(running(), exited, 100), { type: 'Collected', bundle }, 100);
    const held = feed(told, order(1003, { path: 'direct' }), 200);
    expect(held.guest?.phase).toBe('ended');
    expect(feed(held, order(0, { order: 'settled', seq: 2000, path: 'direct' }), 300).guest).toBeNull();
  });
});
