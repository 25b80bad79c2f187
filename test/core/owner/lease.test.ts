/** The lease as the owner keeps it: which renewals are answered, and what happens after a silence, and when. */
import { describe, expect, it } from 'vitest';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import { nextTimerAt } from '../../../src/core/owner/step.js';
import type { Item } from '../../../src/protocol/item.js';
import { ownerRules } from '../../support/samples.js';
import { acked, feed, lost, offered, pass, progress, result, running, submit, type OwnerRun } from './owner-run.js';

describe('a renewal', () => {
  it('is answered with its number', () => {
    expect(feed(running(), progress('running', 7), 500).effects).toEqual(['lease 1 to beta: hold 7']);
  });

  it('shows that the item runs', () => {
    expect(feed(acked(), progress('running', 1)).effects).toEqual(['lease 1 to beta: hold 1', 'status running']);
    expect(feed(acked(), progress('fetching', 1)).state.phase).toBe('acked');
  });

  it('extends the lease from when it is answered', () => {
    expect(nextTimerAt(running().state, ownerRules)).toBe(8000);
    expect(nextTimerAt(feed(running(), progress('running', 2), 3000).state, ownerRules)).toBe(11_000);
  });

  it.each<[string, OwnerRun, ItemInput, string]>([
    [
      'a member that does not hold it is released',
      running(),
      progress('running', 1, 1, 'gamma'),
      'lease 1 to gamma: gone 0',
    ],
    [
      'of a stale epoch is answered with a release',
      afterLostLease(),
      progress('running', 9, 1),
      'lease 1 to beta: gone 0',
    ],
    ['of a future epoch is answered with a release', running(), progress('running', 1, 2), 'lease 2 to beta: gone 0'],
    ['of a waiting item is answered with a release', submit(), progress('running', 1, 0), 'lease 0 to beta: gone 0'],
  ])('%s', (_title, run, input, answer) => {
    const after = feed(run, input);
    expect(after.effects).toEqual([answer]);
    expect(after.state).toBe(run.state);
  });

  it('of a lost item is not answered, since its lease must stay ended', () => {
    expect(feed(lost(), progress('running', 3)).effects).toEqual([]);
  });
});

function afterLostLease(change: Partial<Item> = {}): OwnerRun {
  return pass(running(change), 8000);
}

describe('a lease that ends without an answer', () => {
  it('is not given up before lease and margin are over', () => {
    expect(pass(running(), 7999)).toMatchObject({ effects: [], state: { phase: 'running' } });
  });

  it('sends a rerun item back to the queue, without its last receiver', () => {
    const after = afterLostLease();
    expect(after.state).toMatchObject({ phase: 'queued', receiver: null, avoid: ['beta'], attempts: 1 });
    expect(after.effects).toEqual(['persist queued', 'unshare 1', 'status queued']);
    expect(after.state.reason).toBe('the lease of beta ended without an answer');
  });

  it('defers a deferred item again', () => {
    const woken = feed(submit({ deferred: true }), { type: 'WakeChosen', reason: 'wake' });
    const held = feed(feed(woken, { type: 'OfferChosen', reason: 'wake' }), {
      type: 'ClaimHeard',
      from: 'beta',
      claim: { epoch: 1, renewal: 1, projected_ratio: 0, slots_free: 1, rank: 0 },
    });
    expect(pass(held, 8000).state.phase).toBe('deferred');
  });

  it('fails a rerun item when its attempts are used up', () => {
    const after = afterLostLease({ attempts: 1 });
    expect(after.state).toMatchObject({ phase: 'failed', attempts: 1 });
    expect(after.state.reason).toBe('the lease of beta ended without an answer; given up after 1 starts');
    expect(after.effects).toEqual(['persist failed', 'lease 1 to beta: settled 0', 'status failed']);
  });

  it('loses a once item, which keeps its receiver', () => {
    expect(lost().state).toMatchObject({ phase: 'lost', receiver: 'beta', epoch: 1 });
    expect(lost().effects).toEqual(['persist lost', 'status lost']);
    expect(nextTimerAt(lost().state, ownerRules)).toBeUndefined();
  });
});

describe('the members that a round leaves out', () => {
  it('are left out only for a while: without other members the item must go on', () => {
    const after = afterLostLease();
    const wakeAt = nextTimerAt(after.state, ownerRules) ?? Number.NaN;
    expect(wakeAt).toBe(8000 + ownerRules.offerTtlMs);
    expect(pass(after, wakeAt - 1).state.avoid).toEqual(['beta']);
    expect(pass(after, wakeAt).state.avoid).toEqual([]);
    expect(nextTimerAt(pass(after, wakeAt).state, ownerRules)).toBeUndefined();
  });

  it('are offered a deferred item again, too', () => {
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

  it('are no longer left out after a round without claims', () => {
    expect(pass(offered(), 1000).state.avoid).toEqual([]);
  });

  it('are not left out forever after a restart of the owner', () => {
    const again = feed(afterLostLease(), { type: 'NodeRestarted', rolledBack: false }, 20_000);
    expect(again.state.avoid).toEqual(['beta']);
    expect(pass(again, 20_000 + ownerRules.offerTtlMs).state.avoid).toEqual([]);
  });
});
