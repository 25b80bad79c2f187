/** Cancelling an item, retrying it, and resuming it after a restart, in each phase. */
import { describe, expect, it } from 'vitest';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import { fromRecord, toRecord } from '../../../src/core/owner/owned-item.js';
import {
  acked,
  bundle,
  chosen,
  feed,
  lost,
  offered,
  pass,
  progress,
  restartable,
  result,
  returning,
  running,
  submit,
  vacated,
  type OwnerRun,
} from './owner-run.js';

const cancel: ItemInput = { type: 'CancelAsked', reason: 'cancelled on request' };
const staging = (): OwnerRun => submit({ inputs: ['/a'] });
const settled = ['persist cancelled', 'status cancelled'];
const released = ['persist cancelled', 'lease 1 to beta: settled 0', 'status cancelled'];

describe('cancel', () => {
  it.each<[string, OwnerRun, string, readonly string[]]>([
    ['staging: at once', staging(), 'cancelled', settled],
    ['queued: at once', submit(), 'cancelled', settled],
    ['deferred: at once', submit({ deferred: true }), 'cancelled', settled],
    ['offered: at once, the epoch was not acked', offered(), 'cancelled', settled],
    ['acked: through its receiver', acked(), 'acked', ['persist acked', 'lease 1 to beta: cancel 0', 'status acked']],
    [
      'running: through its receiver',
      running(),
      'running',
      ['persist running', 'lease 1 to beta: cancel 0', 'status running'],
    ],
    ['returning: nothing, it has run to its end and its result is kept', returning(), 'returning', []],
    ['returning to be moved: at once, it stands still', vacated(), 'cancelled', released],
    ['lost: at once', lost(), 'cancelled', released],
    ['done: nothing', feed(running(), result()), 'done', []],
  ])('%s', (_title, run, phase, effects) => {
    const after = feed(run, cancel);
    expect(after.state.phase).toBe(phase);
    expect(after.effects).toEqual(effects);
  });

  it('repeats the order, also in answer to each renewal', () => {
    const asked = feed(running(), cancel, 10);
    expect(pass(asked, 110).effects).toEqual(['lease 1 to beta: cancel 0']);
    expect(feed(asked, progress('running', 4), 20).effects).toEqual(['lease 1 to beta: cancel 4']);
  });

  it('never extends the lease, which ends whether the receiver obeys or not', () => {
    let run = feed(running(), cancel, 10);
    for (let ms = 1000; ms < 8000; ms += 1000) run = feed(run, progress('running', ms), ms);
    expect(pass(run, 8000).state).toMatchObject({ phase: 'cancelled' });
  });

  it('overrides a move', () => {
    const moving = feed(running(restartable()), { type: 'MoveAsked', reason: 'asked', to: null });
    expect(feed(moving, cancel).state.order).toBe('cancel');
  });

  it('ignores a later claim', () => {
    const after = feed(feed(offered(), cancel), {
      type: 'ClaimHeard',
      from: 'beta',
      claim: { epoch: 1, renewal: 1, projected_ratio: 0, slots_free: 1, rank: 0 },
    });
    expect(after).toMatchObject({ state: { phase: 'cancelled' }, effects: [] });
  });
});

describe('retry', () => {
  const retry: ItemInput = { type: 'RetryAsked', reason: 'retried on request' };
  it('starts a lost item again, with fresh attempts', () => {
    const after = feed(lost(), retry);
    expect(after.state).toMatchObject({ phase: 'queued', attempts: 0, receiver: null });
    expect(feed(after, chosen).effects).toContain('offer 2');
  });

  it('ignores the old receiver', () => {
    expect(feed(feed(lost(), retry), result()).effects).toEqual(['lease 1 to beta: gone 0']);
  });

  it.each<[string, OwnerRun]>([
    ['a running item', running()],
    ['an item that has ended', feed(running(), result())],
    ['a waiting item', submit()],
  ])('does not apply to %s', (_title, run) => {
    expect(feed(run, retry)).toMatchObject({ state: run.state, effects: [] });
  });
});

describe('restart', () => {
  const withBundle = (): OwnerRun => feed(staging(), { type: 'ItemStaged', bundle, image: false });
  it.each<[string, OwnerRun, string, readonly string[]]>([
    ['staging: it is staged again', staging(), 'staging', ['Stage', 'status staging']],
    ['queued: it waits', submit(), 'queued', ['status queued']],
    ['queued: its inputs are shared again', withBundle(), 'queued', ['Restage', 'status queued']],
    ['deferred: it stays deferred', submit({ deferred: true }), 'deferred', ['status deferred']],
    ['offered: it waits, the epoch means nothing', offered(), 'queued', ['status queued']],
    ['acked: it is held', acked(), 'acked', ['status acked']],
    ['running: it is held', running(), 'running', ['status running']],
    ['lost: it stays lost', lost(), 'lost', ['status lost']],
    ['done: it stays done', feed(running(), result()), 'done', ['status done']],
  ])('%s', (_title, run, phase, effects) => {
    const again = feed(
      { ...run, state: fromRecord(toRecord(run.state), 50_000) },
      { type: 'NodeRestarted', rolledBack: false },
      50_000,
    );
    expect(again.state.phase).toBe(phase);
    expect(again.effects).toEqual(effects);
  });

  it('shares a held item with its receiver again', () => {
    const held = feed(feed(withBundle(), chosen), {
      type: 'ClaimHeard',
      from: 'beta',
      claim: { epoch: 1, renewal: 1, projected_ratio: 0, slots_free: 1, rank: 0 },
    });
    expect(feed(held, { type: 'NodeRestarted', rolledBack: false }).effects).toEqual([
      'Restage',
      'share 1 with beta',
      'status acked',
    ]);
  });

  it('gives a held item a full lease and margin, since its last answer is not known', () => {
    const again = feed(running(), { type: 'NodeRestarted', rolledBack: false }, 50_000);
    expect(pass(again, 57_999).state.phase).toBe('running');
    expect(pass(again, 58_000).state.phase).toBe('queued');
  });

  it('repeats the ack until the receiver answers', () => {
    const again = feed(acked(), { type: 'NodeRestarted', rolledBack: false }, 50_000);
    expect(pass(again, 50_100).effects).toEqual(['ack 1 to beta']);
  });

  it('goes on cancelling a cancelled item', () => {
    const again = feed(feed(running(), cancel), { type: 'NodeRestarted', rolledBack: false }, 50_000);
    expect(pass(again, 50_100).effects).toEqual(['lease 1 to beta: cancel 0']);
  });
});
