/** Partners, whose keys must not change: members with a live epoch in common. */
import { describe, expect, it } from 'vitest';
import type { Guest } from '../../../src/core/receiver/guest.js';
import { isPartner } from '../../../src/core/identity/partners.js';
import { acked, lost, returning, submit, type OwnerRun } from '../owner/owner-run.js';
import { claimed, ended, fetching, running, type GuestRun } from '../receiver/receiver-run.js';

function guestsOf({ guest }: GuestRun): readonly Guest[] {
  if (guest === null) throw new Error('the guest is forgotten');
  return [guest];
}

describe('a partner', () => {
  it('is the owner of a guest that is fetched or runs here, not of one that is only claimed or has ended', () => {
    const is = (run: GuestRun): boolean => isPartner('alpha', [], guestsOf(run));
    expect([fetching(), running()].map(is)).toEqual([true, true]);
    expect([claimed(), ended()].map(is)).toEqual([false, false]);
    expect(isPartner('gamma', [], guestsOf(running()))).toBe(false);
  });

  it('is the receiver of an item that is held, returning or lost, not of one that waits', () => {
    const is = ({ state }: OwnerRun): boolean => isPartner('beta', [state], []);
    expect([acked(), returning(), lost()].map(is)).toEqual([true, true, true]);
    expect(is(submit())).toBe(false);
    expect(isPartner('gamma', [acked().state], [])).toBe(false);
  });
});
