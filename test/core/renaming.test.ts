/** What must be over before a node goes by another id, and which ids it may have. */
import { describe, expect, it } from 'vitest';
import { findNameFault, listUnsettled } from '../../src/core/renaming.js';
import { acked as held, submit } from './owner/owner-run.js';
import { running as guestRunning } from './receiver/receiver-run.js';
import { createMember, createView } from './samples.js';

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

  it('and a guest of an own item is told of as that item', () => {
    expect(listUnsettled([held().state], [guest], 'alpha')).toHaveLength(1);
    expect(listUnsettled([], [guest], 'alpha')).toHaveLength(1);
  });
});

describe('an id', () => {
  const view = createView(createMember('alpha'), createMember('gamma'));
  const gamma = view.get('gamma')?.info?.key ?? '';

  it('of nobody is free', () => {
    expect(findNameFault(view, 'alpha', 'k', 'omega', 0)).toBeUndefined();
  });

  it('of oneself is no other', () => {
    expect(findNameFault(view, 'alpha', 'k', 'alpha', 0)).toBe('alpha is its id already');
  });

  it('is taken while its node is online, and for ten minutes after its last word', () => {
    expect(findNameFault(view, 'alpha', 'k', 'gamma', 0)).toMatch(/gamma is taken/);
    const gone = createView({ ...createMember('gamma'), available: false, heardAt: 1000 });
    expect(findNameFault(gone, 'alpha', 'k', 'gamma', 600_999)).toMatch(/until a moment ago/);
    expect(findNameFault(gone, 'alpha', 'k', 'gamma', 601_000)).toBeUndefined();
  });

  it('that goes with one’s own key is one’s own', () => {
    expect(findNameFault(view, 'alpha', gamma, 'gamma', 0)).toBeUndefined();
  });
});
