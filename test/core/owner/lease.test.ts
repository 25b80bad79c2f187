/** The lease as its owner keeps it: what is answered, what a silence leads to, and when. */
import { describe, expect, test } from 'vitest';
import type { OwnerInput } from '../../../src/core/owner/inputs.js';
import { wakeTime } from '../../../src/core/owner/step.js';
import type { Item } from '../../../src/protocol/item.js';
import { ownerRules } from '../samples.js';
import { acked, feed, lost, offered, pass, progress, result, running, submit, type OwnerRun } from './owner-run.js';

describe('renewals', () => {
  test('each renewal is answered with its number', () => {
    expect(feed(running(), progress('running', 7), 500).effects).toEqual(['lease 1 to beta: hold 7']);
  });

  test('the first progress of a run shows that it runs', () => {
    expect(feed(acked(), progress('running', 1)).effects).toEqual(['lease 1 to beta: hold 1', 'status running']);
    expect(feed(acked(), progress('fetching', 1)).state.phase).toBe('acked');
  });

  test('an answer moves the end of the lease, from the moment it is said', () => {
    expect(wakeTime(running().state, ownerRules)).toBe(8000);
    expect(wakeTime(feed(running(), progress('running', 2), 3000).state, ownerRules)).toBe(11_000);
  });

  test.each<[string, OwnerRun, OwnerInput, string]>([
    [
      'a member that does not hold it is released',
      running(),
      progress('running', 1, 1, 'gamma'),
      'lease 1 to gamma: gone 0',
    ],
    ['a stale epoch is released', afterLostLease(), progress('running', 9, 1), 'lease 1 to beta: gone 0'],
    ['an epoch to come is released', running(), progress('running', 1, 2), 'lease 2 to beta: gone 0'],
    ['nobody holds an item that waits', submit(), progress('running', 1, 0), 'lease 0 to beta: gone 0'],
  ])('%s', (_title, run, input, answer) => {
    const after = feed(run, input);
    expect(after.effects).toEqual([answer]);
    expect(after.state).toBe(run.state);
  });

  test('a renewal of a lost item is not answered: its lease must stay ended', () => {
    expect(feed(lost(), progress('running', 3)).effects).toEqual([]);
  });
});

function afterLostLease(change: Partial<Item> = {}): OwnerRun {
  return pass(running(change), 8000);
}

describe('a lease that ends without an answer', () => {
  test('it is not given up a moment before lease and margin are over', () => {
    expect(pass(running(), 7999)).toMatchObject({ effects: [], state: { phase: 'running' } });
  });

  test('a rerun item waits again, without its last receiver', () => {
    const after = afterLostLease();
    expect(after.state).toMatchObject({ phase: 'queued', receiver: null, avoid: ['beta'], attempts: 1 });
    expect(after.effects).toEqual(['persist queued', 'unshare 1', 'status queued']);
    expect(after.state.reason).toBe('the lease of beta ended without an answer');
  });

  test('a deferred item sleeps again', () => {
    const woken = feed(submit({ deferred: true }), { type: 'WakeChosen', reason: 'wake' });
    const held = feed(feed(woken, { type: 'OfferChosen', reason: 'wake' }), {
      type: 'ClaimHeard',
      from: 'beta',
      claim: { epoch: 1, renewal: 1, projected_ratio: 0, slots_free: 1, rank: 0 },
    });
    expect(pass(held, 8000).state.phase).toBe('deferred');
  });

  test('a rerun item fails when its attempts are used up', () => {
    const after = afterLostLease({ attempts: 1 });
    expect(after.state).toMatchObject({ phase: 'failed', attempts: 1 });
    expect(after.state.reason).toBe('the lease of beta ended without an answer; given up after 1 starts');
    expect(after.effects).toEqual(['persist failed', 'lease 1 to beta: settled 0', 'status failed']);
  });

  test('a once item is lost and keeps its receiver', () => {
    expect(lost().state).toMatchObject({ phase: 'lost', receiver: 'beta', epoch: 1 });
    expect(lost().effects).toEqual(['persist lost', 'status lost']);
    expect(wakeTime(lost().state, ownerRules)).toBeUndefined();
  });
});

describe('the members that a round leaves out', () => {
  test('they are left out for a while only: where nobody else is, the item must go on', () => {
    const after = afterLostLease();
    const wakeAt = wakeTime(after.state, ownerRules) ?? Number.NaN;
    expect(wakeAt).toBe(8000 + ownerRules.offerTtlMs);
    expect(pass(after, wakeAt - 1).state.avoid).toEqual(['beta']);
    expect(pass(after, wakeAt).state.avoid).toEqual([]);
    expect(wakeTime(pass(after, wakeAt).state, ownerRules)).toBeUndefined();
  });

  test('a sleeping item too', () => {
    const refused = feed(feed(submit({ deferred: true }), { type: 'WakeChosen', reason: '' }), {
      type: 'OfferChosen',
      reason: '',
    });
    const acked = feed(refused, {
      type: 'ClaimHeard',
      from: 'beta',
      claim: { epoch: 1, renewal: 1, projected_ratio: 0, slots_free: 1, rank: 0 },
    });
    const asleep = feed(acked, result({ outcome: 'refused', reason: 'it is draining' }));
    expect(asleep.state).toMatchObject({ phase: 'deferred', avoid: ['beta'] });
    expect(pass(asleep, ownerRules.offerTtlMs).state.avoid).toEqual([]);
  });

  test('a round that nobody claimed leaves nobody out any more', () => {
    expect(pass(offered(), 1000).state.avoid).toEqual([]);
  });

  test('a restart of the owner does not leave them out for ever', () => {
    const again = feed(afterLostLease(), { type: 'NodeRestarted', rolledBack: false }, 20_000);
    expect(again.state.avoid).toEqual(['beta']);
    expect(pass(again, 20_000 + ownerRules.offerTtlMs).state.avoid).toEqual([]);
  });
});
