/** Partners: members that hold an item of this node, and members whose item runs on this node. */
import { isSettled, type OwnedItem } from '../owner/owned-item.js';
import { isLive, type Guest } from '../receiver/guest.js';

/** Whether this node and the member share an epoch that is not settled. */
export function isPartner(node: string, items: Iterable<OwnedItem>, guests: Iterable<Guest>): boolean {
  for (const guest of guests) if (guest.owner === node && isLive(guest) && guest.phase !== 'claimed') return true;
  for (const item of items) {
    // A lost item counts, too: only its receiver may still deliver the result.
    if (isSettled(item.phase)) continue;
    if (item.receiver === node || item.source?.receiver === node) return true;
  }
  return false;
}
