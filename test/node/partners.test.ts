/** Whose key must not change: those with whom an epoch is alive. What is over holds nobody's key. */
import { describe, expect, it } from 'vitest';
import type { Guest } from '../../src/core/receiver/guest.js';
import { isPartner } from '../../src/node/partners.js';
import { acked, lost, returning, submit, type OwnerRun } from '../core/owner/owner-run.js';
import { claimed, ended, fetching, running, type GuestRun } from '../core/receiver/receiver-run.js';

function guestsOf({ guest }: GuestRun): readonly Guest[] {
  if (guest === null) throw new Error('the guest is forgotten');
  return [guest];
}

describe('a partner', () => {
  it('is the owner of what is fetched or runs here, not of what is only claimed or has ended', () => {
    const is = (run: GuestRun): boolean => isPartner('alpha', [], guestsOf(run));
    expect([fetching(), running()].map(is)).toEqual([true, true]);
    expect([claimed(), ended()].map(is)).toEqual([false, false]);
    expect(isPartner('gamma', [], guestsOf(running()))).toBe(false);
  });

  it('is the receiver of what is held, comes home or is lost, not of what waits', () => {
    const is = ({ state }: OwnerRun): boolean => isPartner('beta', [state], []);
    expect([acked(), returning(), lost()].map(is)).toEqual([true, true, true]);
    expect(is(submit())).toBe(false);
    expect(isPartner('gamma', [acked().state], [])).toBe(false);
  });
});
