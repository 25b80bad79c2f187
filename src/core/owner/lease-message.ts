/**
 * Creates the messages and effects that an owner uses towards a receiver: orders that answer a renewal or ask for
 * something, fetches and shares. Nothing is decided here.
 */
import type { LeaseOrder, Result } from '../../protocol/work-messages.js';
import type { Effect } from '../effects.js';
import { publish } from '../effects.js';
import { pathTo } from './direct-path.js';
import type { OwnedItem, OwnerRules } from './owned-item.js';

/** Publishes an order to a receiver; `renewal` is the number that it answers, or 0. */
export function publishLease(
  state: OwnedItem,
  to: string,
  epoch: number,
  renewal: number,
  order: LeaseOrder,
  rules: OwnerRules,
): Effect {
  const move = order === 'checkpoint' || order === 'resume' ? { move: state.move } : {};
  const topic = { kind: 'lease', owner: rules.self, item: state.spec.id } as const;
  return publish(topic, { epoch, to, renewal, order, ...move }, pathTo(state, to, rules));
}

/** Asks a receiver that cannot be reached to bring what it has. Answers no renewal, so it extends no lease. */
export function publishPushRequest(state: OwnedItem, to: string, rules: OwnerRules): Effect {
  const topic = { kind: 'lease', owner: rules.self, item: state.spec.id } as const;
  const body = { epoch: state.epoch, to, renewal: 0, order: 'hold', push_to: rules.urls } as const;
  return publish(topic, body, pathTo(state, to, rules));
}

/**
 * A result as the item keeps it, and the sealed outputs that came inside, which are opened immediately and not kept.
 */
export interface ReceivedResult {
  readonly from: string;
  readonly result: Result;
  readonly sealed: string | undefined;
}

/** Gets the outputs of the epoch: fetches them from the receiver, or opens the ones that came inside the result. */
export function fetchOutputs({ spec, epoch }: OwnedItem, { from, result, sealed }: ReceivedResult): Effect {
  const sha256 = result.manifest_sha256 ?? '';
  const isImage = result.outcome === 'frozen' ? { isImage: true } : {};
  return sealed === undefined
    ? { type: 'FetchHome', item: spec.id, epoch, from, urls: result.urls, sha256, ...isImage }
    : { type: 'OpenHome', item: spec.id, epoch, sealed, sha256 };
}

/** Shares the image of the item, or its inputs, with the receiver of this epoch. */
export function shareWith(state: OwnedItem, receiver: string): Effect {
  return { type: 'Share', item: state.spec.id, epoch: state.epoch, to: receiver, image: state.image !== null };
}

/** Ends the share with the receiver of this epoch. */
export function unshare(state: Pick<OwnedItem, 'spec' | 'epoch'>): Effect {
  return { type: 'Unshare', item: state.spec.id, epoch: state.epoch };
}

/** Releases the receiver of the stopped original of a process that was moved; the original ends. */
export function releaseSource(state: OwnedItem, rules: OwnerRules): Effect[] {
  const { source } = state;
  return source === null ? [] : [publishLease(state, source.receiver, source.epoch, 0, 'settled', rules)];
}
