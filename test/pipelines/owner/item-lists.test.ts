/** Which list an item is in, and where. */
import { describe, expect, it } from 'vitest';
import type { OwnedItem } from '../../../src/core/owner/owned-item.js';
import { createItemLists } from '../../../src/pipelines/owner/item-lists.js';
import { submit } from '../../core/owner/owner-run.js';

const item = (id: string, change: Partial<OwnedItem> = {}): OwnedItem => ({ ...submit({ id }).state, ...change });
const BEHIND = { code: 'behind-others', reason: 'waits behind other items of this owner' } as const;

describe('the lists of items', () => {
  it('keep a waiting item in its place when its reason changes', () => {
    const lists = createItemLists();
    for (const id of ['j1', 'j2']) lists.changed(id, undefined, item(id));
    lists.changed('j1', item('j1'), item('j1', BEHIND));
    expect([...lists.queued]).toEqual(['j1', 'j2']);
    expect([...lists.unexplained]).toEqual(['j2']);
    lists.changed('j1', item('j1', BEHIND), item('j1', { code: 'no-receiver' }));
    expect([...lists.queued]).toEqual(['j1', 'j2']);
    expect([...lists.unexplained]).toEqual(['j2', 'j1']);
  });

  it('put an item that waits again behind the others', () => {
    const lists = createItemLists();
    for (const id of ['j1', 'j2']) lists.changed(id, undefined, item(id));
    lists.changed('j1', item('j1'), item('j1', { phase: 'offered' }));
    expect([...lists.queued]).toEqual(['j2']);
    expect([...lists.unexplained]).toEqual(['j2']);
    expect([...lists.offered]).toEqual(['j1']);
    lists.changed('j1', item('j1', { phase: 'offered' }), item('j1'));
    expect([...lists.queued]).toEqual(['j2', 'j1']);
  });

  it.each<[Partial<OwnedItem> | undefined, string]>([
    [{ phase: 'deferred' }, 'sleeping'],
    [{ phase: 'acked' }, 'held'],
    [{ phase: 'running' }, 'held'],
    [{ phase: 'done' }, ''],
    [{ phase: 'lost' }, ''],
    [undefined, ''],
  ])('know where %o belongs', (change, list) => {
    const lists = createItemLists();
    lists.changed('j1', undefined, item('j1'));
    lists.changed('j1', item('j1'), change === undefined ? undefined : item('j1', change));
    const { queued, sleeping, offered, held, unexplained } = lists;
    const filled = Object.entries({ queued, sleeping, offered, held, unexplained }).filter(([, { size }]) => size > 0);
    expect(filled.map(([name]) => name)).toEqual(list === '' ? [] : [list]);
  });
});
