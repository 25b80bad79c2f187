/**
 * The first part of a run is silent: a run that ends sooner is neither renewed nor journalled as running. Everything
 * that may happen to a run may happen to it meanwhile.
 */
import { describe, expect, it } from 'vitest';
import { fromGuestRecord, type Guest, type GuestRecord } from '../../../src/core/receiver/guest.js';
import type { GuestInput } from '../../../src/core/receiver/inputs.js';
import { nextGuestTimerAt, stepReceiver } from '../../../src/core/receiver/step.js';
import type { Command } from '../../../src/protocol/item.js';
import { describeEffects } from '../../support/effect-text.js';
import { instant, receiverRules } from '../../support/samples.js';
import { exited, handle, lease, starting } from './receiver-run.js';

const rules = { ...receiverRules, silentMs: 100 };
const started: GuestInput = { type: 'RunStarted', handle };

interface Told {
  readonly guest: Guest;
  readonly effects: readonly string[];
}

function feed(guest: Guest, input: GuestInput, ms: number): Told {
  const { state, effects } = stepReceiver(guest, input, instant(ms), rules);
  if (state === null) throw new Error('the guest is forgotten');
  return { guest: state, effects: describeEffects(effects) };
}

/** A guest that was ordered to start at 0. */
function ordered(change: Partial<Command> = {}): Guest {
  const { guest } = starting(change);
  if (guest === null) throw new Error('the guest is forgotten');
  return guest;
}

/** The same guest, whose start was reported at 5. */
function silent(change: Partial<Command> = {}): Guest {
  return feed(ordered(change), started, 5).guest;
}

describe('a run that has just started', () => {
  it('runs, but nothing is published or journalled', () => {
    expect(feed(ordered(), started, 5)).toMatchObject({ guest: { phase: 'running', handle }, effects: [] });
  });

  it('is told once it has lasted, and only once', () => {
    expect(nextGuestTimerAt(silent(), rules)).toBe(100);
    expect(feed(silent(), { type: 'TimePassed' }, 99).effects).toEqual([]);
    const told = feed(silent(), { type: 'TimePassed' }, 100);
    expect(told.effects).toEqual(['progress 1 running 1002', 'persist running']);
    expect(nextGuestTimerAt(told.guest, rules)).toBeGreaterThan(100);
    expect(feed(told.guest, { type: 'TimePassed' }, 101).effects).toEqual([]);
  });

  it('is told at once when its start was reported late', () => {
    expect(feed(ordered(), started, 100).effects).toEqual(['progress 1 running 1002', 'persist running']);
  });

  it('that ends sooner is collected without having been told', () => {
    const ended = feed(silent(), exited, 60);
    expect(ended).toMatchObject({ guest: { phase: 'collecting', result: { outcome: 'exited' } } });
    expect(ended.effects).toEqual(['collect []']);
    expect(nextGuestTimerAt(ended.guest, rules)).toBeGreaterThan(100);
  });

  it('keeps the lease that counts from its claim', () => {
    expect(silent().leaseEndsAt).toBe(ordered().leaseEndsAt);
    const short = { ...silent(), leaseEndsAt: 50 };
    expect(nextGuestTimerAt(short, rules)).toBe(50);
    expect(feed({ ...short, tellAt: 200 }, { type: 'TimePassed' }, 50).effects).toEqual([
      'persist running, stopping: lease',
      'StopRun grace 500',
    ]);
  });

  it('can be cancelled', () => {
    const cancelled = feed(silent(), lease('cancel', 0), 20);
    expect(cancelled).toMatchObject({
      guest: { stopping: 'cancel' },
      effects: ['persist running, stopping: cancel', 'StopRun grace 1000'],
    });
    expect(feed(cancelled.guest, exited, 30).guest.result?.outcome).toBe('cancelled');
  });

  it('can be moved, also before its start was reported', () => {
    const order = lease('vacate', 0);
    const wish: GuestInput = { type: 'VacateWanted', reason: 'beta drains' };
    for (const input of [order, wish]) {
      expect(feed(silent({ migrate: 'restart' }), input, 20).guest.stopping).toBe('vacate');
      expect(feed(ordered({ migrate: 'restart' }), input, 20).guest.stopping).toBe('vacate');
    }
  });

  it('is asked to save before it is moved', () => {
    const change = { migrate: 'cooperative' } as const;
    for (const guest of [silent(change), ordered(change)]) {
      const { effects } = stepReceiver(guest, lease('vacate', 0), instant(20), rules);
      expect(effects).toContainEqual(expect.objectContaining({ type: 'StopRun', asks: true }));
    }
  });

  it('can be frozen, and is not told again when it goes on', () => {
    const order = lease('checkpoint', 0, { move: 1 });
    const freezing = feed(silent({ migrate: 'checkpoint' }), order, 20);
    expect(freezing.effects).toEqual(['persist freezing', 'progress 1 freezing 1002', 'FreezeRun']);
    const on = feed(freezing.guest, { type: 'FreezeFailed', reason: 'it holds a socket' }, 150);
    expect(feed(on.guest, { type: 'TimePassed' }, 151).effects).toEqual([]);
  });

  it('tells its owner a wish to move that came before its start was reported', () => {
    const wish: GuestInput = { type: 'VacateWanted', reason: 'beta drains' };
    const wished = feed(ordered({ migrate: 'checkpoint' }), wish, 20);
    expect(wished).toMatchObject({ guest: { phase: 'starting', wish: 'beta drains' } });
    expect(feed(wished.guest, started, 30).guest.wish).toBe('beta drains');
  });

  it('answers an owner that repeats its ack', () => {
    const { effects } = feed(silent(), { type: 'OwnerReturned' }, 20);
    expect(effects).toEqual([]);
    const again: GuestInput = {
      type: 'AckHeard',
      ack: { epoch: 1, to: 'beta', renewal: 1001, lease_ms: 6000, transport: 'none', urls: [] },
      obstacle: undefined,
    };
    expect(feed(silent(), again, 20).effects).toEqual(['progress 1 running 1002']);
  });
});

describe('a node that crashed while a run was silent', () => {
  /** As the journal has it: the order to start is in it, the start is not. */
  const recovered = (): Guest => fromGuestRecord(journalled(), instant(9000), rules);

  it('looks for the run, which it does not count as never started', () => {
    const { guest, effects } = feed(recovered(), { type: 'NodeRestarted' }, 9000);
    expect(guest.phase).toBe('starting');
    expect(effects).toEqual(['AdoptRun']);
  });

  it('takes the end of the run for its end', () => {
    const found = feed(recovered(), { type: 'NodeRestarted' }, 9000);
    expect(feed(found.guest, exited, 9010).guest).toMatchObject({ phase: 'collecting' });
    expect(feed(found.guest, { type: 'RunDied', reason: 'killed' }, 9010).guest.result?.outcome).toBe('died');
  });

  it('refuses it only when its runner is certain that it never started', () => {
    const found = feed(recovered(), { type: 'NodeRestarted' }, 9000);
    expect(feed(found.guest, { type: 'RunFailed', reason: 'it never started' }, 9010).guest.result?.outcome).toBe(
      'refused',
    );
  });
});

/** The last thing that was journalled about a silent run. */
function journalled(): GuestRecord {
  const records = starting().raw.flatMap((effect) => (effect.type === 'Persist' ? [effect.value as GuestRecord] : []));
  const last = records.at(-1);
  if (last?.phase !== 'starting') throw new Error('the order to start was not journalled');
  return last;
}
