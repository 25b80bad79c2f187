/** The direct path as the owner uses it: how it answers, when it calls, and what it journals. */
import { describe, expect, it } from 'vitest';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import type { OwnedItem, OwnerRules } from '../../../src/core/owner/owned-item.js';
import { fromRecord, toRecord } from '../../../src/core/owner/owned-item.js';
import { stepOwner, nextTimerAt } from '../../../src/core/owner/step.js';
import type { ProgressReport } from '../../../src/protocol/work-messages.js';
import { describeEffects } from '../../support/effect-text.js';
import { createResult, instant, ownerRules } from '../../support/samples.js';
import { offered } from './owner-run.js';

const rules: OwnerRules = { ...ownerRules, leaseMs: 60_000, marginMs: 15_000 };
const URLS = ['https://beta:8000'];

function step(
  state: OwnedItem,
  input: ItemInput,
  ms: number,
  known: Partial<OwnerRules> = {},
): { state: OwnedItem; effects: readonly string[] } {
  const next = stepOwner(state, input, instant(ms), { ...rules, ...known });
  return { state: next.state, effects: describeEffects(next.effects) };
}

function progress(renewal: number, path?: 'direct', change: Partial<ProgressReport> = {}): ItemInput {
  return { type: 'ProgressHeard', from: 'beta', progress: { epoch: 1, phase: 'running', renewal, ...change }, path };
}

function acked(urls: readonly string[] | undefined): OwnedItem {
  const claim = { epoch: 1, renewal: 1001, projected_ratio: 0.1, slots_free: 1, rank: 0, urls };
  return step(offered().state, { type: 'ClaimHeard', from: 'beta', claim }, 0).state;
}

const held: OwnedItem = step(acked(URLS), progress(1002), 10).state;
const old: OwnedItem = step(acked(undefined), progress(1002), 10).state;

describe('an answer', () => {
  it('takes the path of the question', () => {
    expect(step(held, progress(1003), 20).effects).toEqual(['lease 1 to beta: hold 1003']);
    expect(step(held, progress(1003, 'direct'), 20).effects).toEqual(['lease 1 to beta: hold 1003, direct']);
  });

  it('does so to an unknown node, too', () => {
    const input: ItemInput = { ...progress(1003, 'direct'), from: 'gamma' } as ItemInput;
    expect(step(held, input, 20).effects).toEqual(['lease 1 to gamma: gone 0, direct']);
  });

  it('is dated in bus time', () => {
    const bus = { ms: 5000, asOf: 90_000, isOnline: false, returnedAt: 0 };
    expect(step(held, progress(1003, 'direct'), 90_000, { bus }).state.answeredAt).toBe(5000);
  });
});

describe('an unsolicited order', () => {
  it('takes the bus, or both paths while the broker is away or the receiver was heard directly', () => {
    const cancel: ItemInput = { type: 'CancelAsked', reason: 'asked' };
    expect(step(held, cancel, 30).effects).toContain('lease 1 to beta: cancel 0');
    expect(step(held, cancel, 30, { isAlone: true }).effects).toContain('lease 1 to beta: cancel 0, both ways');
    const direct = step(held, progress(1003, 'direct'), 20).state;
    expect(step(direct, cancel, 30).effects).toContain('lease 1 to beta: cancel 0, both ways');
  });

  it('releases a receiver over the path of its result', () => {
    const input: ItemInput = { type: 'ResultHeard', from: 'beta', result: createResult(), path: 'direct' };
    expect(step(held, input, 30).effects).toEqual([
      'persist done',
      'lease 1 to beta: settled 0, direct',
      'status done',
    ]);
  });

  it('takes only the bus to a receiver of an earlier version', () => {
    expect(step(old, { type: 'CancelAsked', reason: 'asked' }, 30, { isAlone: true }).effects).toContain(
      'lease 1 to beta: cancel 0',
    );
  });
});

describe('a receiver that falls silent', () => {
  it('is called after half a minute, and every five seconds from then on', () => {
    expect(nextTimerAt(held, rules)).toBe(30_010);
    const called = step(held, { type: 'TimePassed' }, 30_010);
    expect(called.effects).toEqual(['ack 1 to beta, direct']);
    expect(nextTimerAt(called.state, rules)).toBe(35_010);
    expect(called.state.answeredAt).toBe(held.answeredAt);
  });

  it('is not called while it is heard', () => {
    const heard = step(held, progress(1003), 20_000).state;
    expect(nextTimerAt(heard, rules)).toBe(50_000);
  });

  it('is called at once when it reports that it cannot reach its owner', () => {
    const told = step(held, progress(1003, undefined, { direct: false }), 20_000);
    expect(told.effects).toEqual(['lease 1 to beta: hold 1003', 'status running']);
    expect(step(told.state, { type: 'TimePassed' }, 20_000).effects).toEqual(['ack 1 to beta, direct']);
  });

  it('is never called if it is the owner itself', () => {
    const claim = { epoch: 1, renewal: 1001, projected_ratio: 0.1, slots_free: 1, rank: 0, urls: URLS };
    const own = step(offered().state, { type: 'ClaimHeard', from: 'alpha', claim }, 0).state;
    expect(own.receiverUrls).toEqual([]);
    expect(own.callAt).toBe(Number.POSITIVE_INFINITY);
  });

  it('is never called if it runs an earlier version', () => {
    expect(nextTimerAt(old, rules)).toBe(75_010);
  });
});

describe('a restart', () => {
  it('keeps the addresses of the receiver, and calls it without a broker', () => {
    const again = fromRecord(JSON.parse(JSON.stringify(toRecord(held))) as OwnedItem, 100_000);
    const resumed = step(again, { type: 'NodeRestarted', rolledBack: false }, 100_000, { isAlone: true }).state;
    const repeated = step(resumed, { type: 'TimePassed' }, 100_200, { isAlone: true });
    expect(repeated.effects).toEqual(['ack 1 to beta, both ways']);
  });

  it('from a journal of an earlier version knows no direct path', () => {
    const { receiverUrls: _urls, ...record } = toRecord(held);
    const resumed = step(fromRecord(record, 0), { type: 'NodeRestarted', rolledBack: false }, 0, { isAlone: true });
    expect(step(resumed.state, { type: 'TimePassed' }, 200, { isAlone: true }).effects).toEqual(['ack 1 to beta']);
  });
});
