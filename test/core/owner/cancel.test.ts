/** Taking an item back, starting it once more, and taking it up after a restart: in each phase. */
import { describe, expect, test } from 'vitest';
import type { OwnerInput } from '../../../src/core/owner/inputs.js';
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

const cancel: OwnerInput = { type: 'CancelAsked', reason: 'cancelled on request' };
const staging = (): OwnerRun => submit({ inputs: ['/a'] });
const settled = ['persist cancelled', 'status cancelled'];
const released = ['persist cancelled', 'lease 1 to beta: settled 0', 'status cancelled'];

describe('cancel', () => {
  test.each<[string, OwnerRun, string, readonly string[]]>([
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

  test('the order is repeated, and each renewal hears it', () => {
    const asked = feed(running(), cancel, 10);
    expect(pass(asked, 110).effects).toEqual(['lease 1 to beta: cancel 0']);
    expect(feed(asked, progress('running', 4), 20).effects).toEqual(['lease 1 to beta: cancel 4']);
  });

  test('no answer extends the lease of a cancelled item: it ends whether its receiver listens or not', () => {
    let run = feed(running(), cancel, 10);
    for (let ms = 1000; ms < 8000; ms += 1000) run = feed(run, progress('running', ms), ms);
    expect(pass(run, 8000).state).toMatchObject({ phase: 'cancelled' });
  });

  test('it overrules a move', () => {
    const moving = feed(running(restartable()), { type: 'MoveAsked', reason: 'asked', to: null });
    expect(feed(moving, cancel).state.order).toBe('cancel');
  });

  test('a claim that comes after it changes nothing', () => {
    const after = feed(feed(offered(), cancel), {
      type: 'ClaimHeard',
      from: 'beta',
      claim: { epoch: 1, renewal: 1, projected_ratio: 0, slots_free: 1, rank: 0 },
    });
    expect(after).toMatchObject({ state: { phase: 'cancelled' }, effects: [] });
  });
});

describe('retry', () => {
  const retry: OwnerInput = { type: 'RetryAsked', reason: 'retried on request' };
  test('a lost item begins anew, its attempts too', () => {
    const after = feed(lost(), retry);
    expect(after.state).toMatchObject({ phase: 'queued', attempts: 0, receiver: null });
    expect(feed(after, chosen).effects).toContain('offer 2');
  });

  test('the old receiver no longer counts', () => {
    expect(feed(feed(lost(), retry), result()).effects).toEqual(['lease 1 to beta: gone 0']);
  });

  test.each<[string, OwnerRun]>([
    ['a running item', running()],
    ['an item that has ended', feed(running(), result())],
    ['a waiting item', submit()],
  ])('%s is not retried', (_title, run) => {
    expect(feed(run, retry)).toMatchObject({ state: run.state, effects: [] });
  });
});

describe('restart', () => {
  const withBundle = (): OwnerRun => feed(staging(), { type: 'ItemStaged', bundle, image: false });
  test.each<[string, OwnerRun, string, readonly string[]]>([
    ['staging: it is staged again', staging(), 'staging', ['Stage', 'status staging']],
    ['queued: it waits', submit(), 'queued', ['status queued']],
    ['queued: its inputs are described again', withBundle(), 'queued', ['Restage', 'status queued']],
    ['deferred: it sleeps', submit({ deferred: true }), 'deferred', ['status deferred']],
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

  test('a held item is shared again with its receiver', () => {
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

  test('a held item is given a whole lease and its margin, since nobody knows when it was answered', () => {
    const again = feed(running(), { type: 'NodeRestarted', rolledBack: false }, 50_000);
    expect(pass(again, 57_999).state.phase).toBe('running');
    expect(pass(again, 58_000).state.phase).toBe('queued');
  });

  test('the ack is repeated until its receiver answers', () => {
    const again = feed(acked(), { type: 'NodeRestarted', rolledBack: false }, 50_000);
    expect(pass(again, 50_100).effects).toEqual(['ack 1 to beta']);
  });

  test('a cancelled item goes on being cancelled', () => {
    const again = feed(feed(running(), cancel), { type: 'NodeRestarted', rolledBack: false }, 50_000);
    expect(pass(again, 50_100).effects).toEqual(['lease 1 to beta: cancel 0']);
  });
});
