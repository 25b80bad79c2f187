/** What must be settled before a node is renamed, and which ids it may take. */
import { describe, expect, it } from 'vitest';
import { findNameFault, listUnsettled } from '../../../src/core/identity/rename.js';
import { acked as held, submit } from '../owner/owner-run.js';
import { running as guestRunning } from '../receiver/receiver-run.js';
import { createMember, createTable } from '../../support/samples.js';

describe('a node may be renamed', () => {
  const { guest } = guestRunning();
  if (guest === null) throw new Error('there is a guest');

  it('when its items are settled and it has no guest', () => {
    const done = { ...held().state, phase: 'done' as const };
    expect(listUnsettled([done], [], 'alpha')).toEqual([]);
  });

  it.each(['queued', 'deferred', 'acked', 'running', 'returning', 'lost'] as const)(
    'not while an item is %s',
    (phase) => {
      const [one] = listUnsettled([{ ...submit().state, phase, reason: 'why' }], [], 'alpha');
      expect(one).toEqual({ item: 'j1', phase, reason: 'why' });
    },
  );

  it('not while a guest runs here, or its result waits for its owner', () => {
    const ended = { ...guest, item: 'j2', phase: 'ended' as const };
    expect(listUnsettled([], [guest, ended], 'beta').map((one) => `${one.item} ${one.phase}: ${one.reason}`)).toEqual([
      'alpha/j1 running: it runs here for alpha',
      'alpha/j2 ended: its result waits for alpha',
    ]);
  });

  it('and a guest of an own item is listed as that item', () => {
    expect(listUnsettled([held().state], [guest], 'alpha')).toHaveLength(1);
    expect(listUnsettled([], [guest], 'alpha')).toHaveLength(1);
  });
});

describe('an id', () => {
  const members = createTable(createMember('alpha'), createMember('gamma'));
  const gamma = members.get('gamma')?.info?.key ?? '';

  it('that no node has is free', () => {
    expect(findNameFault(members, 'alpha', 'k', 'omega', 0)).toBeUndefined();
  });

  it('of the node itself is refused', () => {
    expect(findNameFault(members, 'alpha', 'k', 'alpha', 0)).toBe('alpha is its id already');
  });

  it('is taken while its node is online, and for ten minutes after its last message', () => {
    expect(findNameFault(members, 'alpha', 'k', 'gamma', 0)).toMatch(/gamma is taken/);
    const gone = createTable({ ...createMember('gamma'), available: false, heardAt: 1000 });
    expect(findNameFault(gone, 'alpha', 'k', 'gamma', 600_999)).toMatch(/until recently/);
    expect(findNameFault(gone, 'alpha', 'k', 'gamma', 601_000)).toBeUndefined();
  });

  it('that belongs to the own key is free', () => {
    expect(findNameFault(members, 'alpha', gamma, 'gamma', 0)).toBeUndefined();
  });
});
