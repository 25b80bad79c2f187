/**
 * What an owner says to a receiver about an item: an order that answers a renewal or asks for something. Nothing is
 * decided here.
 */
import type { Order } from '../../protocol/work-messages.js';
import type { Effect } from '../effects.js';
import { say } from '../effects.js';
import type { OwnedItem, OwnerRules } from './owned-item.js';

/** Says what the owner wants of a receiver. */
export function sayLease(
  state: OwnedItem,
  to: string,
  epoch: number,
  renewal: number,
  order: Order,
  rules: OwnerRules,
): Effect {
  const move = order === 'checkpoint' || order === 'resume' ? { move: state.move } : {};
  return say({ kind: 'lease', owner: rules.self, item: state.item.item }, { epoch, to, renewal, order, ...move });
}

/** Shares the image of the item, or its inputs, with the receiver of this epoch. */
export function shareWith(state: OwnedItem, receiver: string): Effect {
  return { type: 'Share', item: state.item.item, epoch: state.epoch, to: receiver, image: state.image !== null };
}

/** Takes what was shared with the receiver of this epoch back. */
export function unshare(state: Pick<OwnedItem, 'item' | 'epoch'>): Effect {
  return { type: 'Unshare', item: state.item.item, epoch: state.epoch };
}

/** Ends the stopped original of a process that was moved. */
export function releaseSource(state: OwnedItem, rules: OwnerRules): Effect[] {
  const { source } = state;
  return source === null ? [] : [sayLease(state, source.receiver, source.epoch, 0, 'settled', rules)];
}
