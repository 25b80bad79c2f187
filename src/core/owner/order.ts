/**
 * What an owner says to a receiver about an item: an order that answers a renewal or asks for something. Nothing is
 * decided here.
 */
import type { Order, Result } from '../../protocol/work-messages.js';
import type { Effect } from '../effects.js';
import { say } from '../effects.js';
import { wayTo } from './direct.js';
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
  const topic = { kind: 'lease', owner: rules.self, item: state.item.item } as const;
  return say(topic, { epoch, to, renewal, order, ...move }, wayTo(state, to, rules));
}

/** Asks a receiver that cannot be reached to bring what it has; it answers no renewal, so it extends nothing. */
export function askPush(state: OwnedItem, to: string, rules: OwnerRules): Effect {
  const topic = { kind: 'lease', owner: rules.self, item: state.item.item } as const;
  const body = { epoch: state.epoch, to, renewal: 0, order: 'hold', push_to: rules.urls } as const;
  return say(topic, body, wayTo(state, to, rules));
}

/** A result as the item keeps it, and apart from it what came sealed inside: that is taken out at once and not kept. */
export interface Told {
  readonly result: Result;
  readonly sealed: string | undefined;
}

/** Brings the outputs of the epoch home from its receiver. */
export function bringEffect({ item, epoch }: OwnedItem, from: string, { result, sealed }: Told): Effect {
  const sha256 = result.manifest_sha256 ?? '';
  return sealed === undefined
    ? { type: 'FetchHome', item: item.item, epoch, from, urls: result.urls, sha256 }
    : { type: 'OpenHome', item: item.item, epoch, sealed, sha256 };
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
