/** A journal older than what the mesh knows: how it is detected, and what happens to each item and guest. */
import { describe, expect, it } from 'vitest';
import { catchUp, findNews, type FoundByMesh, type JournalAge } from '../../../src/core/identity/catch-up.js';
import type { ItemRecord } from '../../../src/core/owner/item-record.js';
import { toStatus } from '../../../src/core/owner/item-status.js';
import { fromRecord, toRecord } from '../../../src/core/owner/owned-item.js';
import type { Item } from '../../../src/protocol/item.js';
import type { Status } from '../../../src/protocol/status.js';
import { acked, chosen, claim, feed, progress, result, running, submit, type OwnerRun } from '../owner/owner-run.js';
import { running as guestRunning } from '../receiver/receiver-run.js';
import { ownerRules } from '../../support/samples.js';

const once: Partial<Item> = { retry: 'once' };

function statusOf(run: OwnerRun, change: Partial<Status> = {}): Status {
  return { ...toStatus(run.state), ...change };
}

function known(statuses: Readonly<Record<string, Status>> = {}): {
  boot: number;
  statuses: ReadonlyMap<string, Status>;
} {
  return { boot: 9, statuses: new Map(Object.entries(statuses)) };
}

describe('a journal is outdated', () => {
  const journal = (run: OwnerRun): JournalAge => ({ lastBoot: 5, mark: 3, items: [toRecord(run.state)] });
  const found = (change: Partial<FoundByMesh>): FoundByMesh => ({
    boot: 5,
    statuses: new Map(),
    said: { boot: 5, mark: 3 },
    ...change,
  });

  it.each<[string, Partial<FoundByMesh>, OwnerRun]>([
    ['when a later boot is known', { boot: 6 }, submit()],
    ['when a later boot has published a state', { said: { boot: 6, mark: 0 } }, submit()],
    ['when its own boot has published a mark that it lacks', { said: { boot: 5, mark: 4 } }, submit()],
    [
      'when an item was given away in an epoch that it does not know',
      { statuses: known({ j1: statusOf(acked()) }).statuses },
      submit(),
    ],
    [
      'when an item has ended that it holds',
      { statuses: known({ j1: statusOf(acked(), { phase: 'done' }) }).statuses },
      acked(),
    ],
    ['when it lacks an item that has not ended', { statuses: known({ j9: statusOf(acked()) }).statuses }, submit()],
  ])('%s', (_what, change, run) => {
    expect(findNews(found(change), journal(run))).toBeDefined();
  });

  it.each<[string, Partial<FoundByMesh>, OwnerRun]>([
    ['nothing was found', { said: undefined, boot: 0 }, submit()],
    ['it contains what was published', {}, acked()],
    ['an earlier boot had a higher mark', { said: { boot: 4, mark: 90 } }, submit()],
    [
      'an epoch is only being offered: that is not written',
      { statuses: known({ j1: statusOf(feed(submit(), chosen)) }).statuses },
      submit(),
    ],
    [
      'the same epoch runs, which is not journalled',
      { statuses: known({ j1: statusOf(running()) }).statuses },
      acked(),
    ],
    [
      'an item has ended that was forgotten',
      { statuses: known({ j9: statusOf(acked(), { phase: 'done' }) }).statuses },
      submit(),
    ],
  ])('but not when %s', (_what, change, run) => {
    expect(findNews(found(change), journal(run))).toBeUndefined();
  });
});

describe('an item of an outdated journal', () => {
  const learn = (run: OwnerRun, statuses: Readonly<Record<string, Status>> = {}): ItemRecord => {
    const [item] = catchUp([toRecord(run.state)], [], known(statuses)).items;
    if (item === undefined) throw new Error('the item is kept');
    return item;
  };

  it('that is known to have ended is ended, and its reason says that files may be missing', () => {
    const item = learn(acked(once), { j1: statusOf(running(once), { phase: 'done', exit_code: 7 }) });
    expect(item).toMatchObject({ phase: 'done', epoch: 1 });
    expect(item.reason).toMatch(/^exit code 7; .*its files may be missing/);
  });

  it('that is known to be held stays held, counts as started, and goes on above all epochs that may exist', () => {
    const item = learn(submit(once), { j1: statusOf(acked(once)) });
    expect(item).toMatchObject({ phase: 'running', epoch: 1, receiver: 'beta', attempts: 1, lastEpoch: 1_000_001 });
    expect(item.history.at(-1)).toMatchObject({ phase: 'running', epoch: 1, node: 'beta' });
  });

  it('of which nothing is known waits for a person if it must run once, even if it had not been started', () => {
    for (const run of [submit(once), acked(once)]) {
      expect(learn(run)).toMatchObject({ phase: 'lost', receiver: null, unsure: true });
    }
  });

  it('that may be rerun waits in the queue, above all epochs that may exist', () => {
    expect(learn(acked())).toMatchObject({ phase: 'queued', receiver: null, unsure: true, lastEpoch: 1_000_001 });
  });

  it('that has ended stays as it is', () => {
    const ended = feed(running(), result());
    expect(learn(ended)).toEqual(toRecord(ended.state));
  });

  it('is not offered before an unknown lease must be over', () => {
    const state = fromRecord(learn(acked()), 0);
    const resumed = feed({ ...submit(), state, ms: 0 }, { type: 'NodeRestarted', rolledBack: true }, 0);
    const before = feed(resumed, chosen, ownerRules.leaseMs + ownerRules.marginMs - 1);
    expect(before.state.phase).toBe('queued');
    expect(feed(before, chosen, ownerRules.leaseMs + ownerRules.marginMs).state.phase).toBe('offered');
  });
});

describe('an unsure item', () => {
  const unsure = (change: Partial<Item> = {}): OwnerRun => {
    const [record] = catchUp([toRecord(submit(change).state)], [], known()).items;
    if (record === undefined) throw new Error('the item is kept');
    return feed({ ...submit(), state: fromRecord(record, 0), ms: 0 }, { type: 'NodeRestarted', rolledBack: true }, 0);
  };

  it.each([{}, once])('is held again by a node that reports running it', (change) => {
    const heard = feed(unsure(change), progress('running', 7, 4), 100);
    expect(heard.state).toMatchObject({ phase: 'running', receiver: 'beta', epoch: 4, attempts: 1, unsure: false });
    expect(heard.effects.join('\n')).toMatch(/hold/);
  });

  it('is done with the result of a node that ran it to its end', () => {
    expect(feed(unsure(once), result({ epoch: 4 }), 100).state).toMatchObject({ phase: 'done', epoch: 4 });
  });

  it('ignores a node that has no exit code', () => {
    for (const outcome of ['refused', 'died', 'cancelled'] as const) {
      expect(feed(unsure(once), result({ epoch: 4, outcome }), 100).state.phase).toBe('lost');
    }
  });

  it('that is acked again is no longer unsure, and releases its former receiver', () => {
    const at = ownerRules.leaseMs + ownerRules.marginMs;
    const offered = feed(unsure(), chosen, at);
    const given = feed(offered, claim('gamma', 0, offered.state.epoch), at);
    expect(given.state).toMatchObject({ phase: 'acked', receiver: 'gamma', unsure: false });
    const stray = feed(given, progress('running', 7, 4), at + 1);
    expect(stray.state.receiver).toBe('gamma');
    expect(stray.effects.join('\n')).toMatch(/gone/);
  });

  it('of a current journal does not adopt an epoch that was never acked, but releases it', () => {
    const heard = feed(submit(), progress('running', 7, 4), 100);
    expect(heard.state.receiver).toBeNull();
    expect(heard.effects.join('\n')).toMatch(/gone/);
  });
});

describe('a guest of an outdated journal', () => {
  const { guest } = guestRunning();
  if (guest === null) throw new Error('there is a guest');

  it.each(['fetching', 'starting'] as const)('that was %s may have run since, and is not refused', (phase) => {
    const [learned] = catchUp([], [{ ...guest, phase }], known()).guests;
    expect(learned?.phase).toBe('running');
  });

  it.each(['frozen', 'prepared', 'collecting', 'ended'] as const)('that was %s stays so', (phase) => {
    const [learned] = catchUp([], [{ ...guest, phase }], known()).guests;
    expect(learned?.phase).toBe(phase);
  });
});
