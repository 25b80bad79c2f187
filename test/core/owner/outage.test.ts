/** An owner whose broker is away, comes back, or flaps: what it gives up, and when. */
import { describe, expect, it } from 'vitest';
import { advanceBusTime, changeBusTime, startBusTime, type BusTime } from '../../../src/core/bus-time.js';
import { stepOwner, nextTimerAt } from '../../../src/core/owner/step.js';
import type { OwnedItem, OwnerRules } from '../../../src/core/owner/owned-item.js';
import { instant, ownerRules } from '../../support/samples.js';
import { returning, running } from './owner-run.js';

const rules: OwnerRules = { ...ownerRules, leaseMs: 60_000, marginMs: 15_000, returnedMs: 30_000 };

/** Advances second by second, and feeds `TimePassed` whenever the item asks for it. */
function live(
  from: OwnedItem,
  secs: number,
  isOnline: (sec: number) => boolean,
): { readonly state: OwnedItem; readonly endedAt: number | undefined } {
  let bus: BusTime = changeBusTime(startBusTime(0), true, 0);
  let state = from;
  for (let sec = 1; sec <= secs; sec += 1) {
    const now = sec * 1000;
    const before = bus.isOnline;
    bus = changeBusTime(advanceBusTime(bus, now), isOnline(sec), now);
    const known = { ...rules, bus };
    if (bus.isOnline && !before) state = stepOwner(state, { type: 'BrokerReturned' }, instant(now), known).state;
    if ((nextTimerAt(state, known) ?? Infinity) <= now)
      state = stepOwner(state, { type: 'TimePassed' }, instant(now), known).state;
    if (state.phase !== from.phase) return { state, endedAt: sec };
  }
  return { state, endedAt: undefined };
}

const held: OwnedItem = { ...running().state, leaseMs: 60_000, answeredAt: 0 };

describe('an owner', () => {
  it('gives up after lease and margin while its broker is connected', () => {
    expect(live(held, 200, () => true).endedAt).toBe(75);
  });

  it('gives nothing up while its broker is away, for hours', () => {
    expect(live(held, 7200, (sec) => sec < 10).endedAt).toBeUndefined();
  });

  it('continues counting where it stopped when the broker returns', () => {
    expect(live(held, 2000, (sec) => sec < 20 || sec >= 1000).endedAt).toBe(1055);
  });

  it('gives nothing up within half a minute of a return', () => {
    expect(live(held, 2000, (sec) => sec < 74 || sec >= 1000).endedAt).toBe(1030);
  });

  it('offers again with a bus that is up for 40 s and down for 5', () => {
    const { state, endedAt } = live(held, 1000, (sec) => sec % 45 < 40);
    expect(state.phase).toBe('queued');
    expect(endedAt).toBe(80);
  });

  it('waits for outputs by the same clock', () => {
    const coming: OwnedItem = { ...returning().state, answeredAt: 0 };
    expect(live(coming, 7200, (sec) => sec < 10).endedAt).toBeUndefined();
    expect(live(coming, 7200, (sec) => sec < 10 || sec > 1000).endedAt).toBe(1031);
  });

  it('repeats an order at once when the broker is back', () => {
    const cancelled = stepOwner(held, { type: 'CancelAsked', reason: 'asked' }, instant(0), rules).state;
    const again = stepOwner(cancelled, { type: 'BrokerReturned' }, instant(50), rules);
    expect(again.effects).toMatchObject([{ kind: 'lease', body: { order: 'cancel' } }]);
  });
});
