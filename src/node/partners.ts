/**
 * With whom work is under way: whoever holds an item of this node, and whose item is here.
 */
import { isSettled, type OwnedItem } from '../core/owner/owned-item.js';
import { isLive, type Guest } from '../core/receiver/guest.js';

/** Whether this member is a partner of a live epoch. */
export function isPartner(node: string, items: Iterable<OwnedItem>, guests: Iterable<Guest>): boolean {
  for (const guest of guests) if (guest.owner === node && isLive(guest) && guest.phase !== 'claimed') return true;
  for (const item of items) {
    // Also what is lost: its receiver may still bring the result, and nobody else.
    if (isSettled(item.phase)) continue;
    if (item.receiver === node || item.source?.receiver === node) return true;
  }
  return false;
}
