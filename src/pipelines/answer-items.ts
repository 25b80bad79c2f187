/**
 * Answers what people and programs ask about the items of this node: how one stands, and which have not ended. It changes
 * nothing. Whoever was away when a status was said, or cleared, learns here what became of the item.
 */
import { toStatus } from '../core/owner/item-status.js';
import { isSettled, type OwnedItem } from '../core/owner/owned-item.js';
import { ITEMS_PAGE_BYTES_MAX } from '../protocol/limits.js';
import type { Status } from '../protocol/status.js';
import type { Answer } from './respond.js';

/** The items of this node, and which were here not long ago. */
export interface ItemParts {
  readonly items: ReadonlyMap<string, OwnedItem>;
  wasRetired(item: string): boolean;
}

/** Steps of its history that an answer tells; the status on the bus has all of them. */
const STEPS_TOLD = 4;

/**
 * How an item stands. `known: false` is an answer too: nobody need wait any longer for an item that its owner does not know.
 * `reason` then says whether it was here and is forgotten.
 */
export function answerItem(id: string, parts: ItemParts, whereIs: (id: string) => string): Answer {
  const state = parts.items.get(id);
  if (state !== undefined) return { data: { item: id, known: true, status: tell(state) } };
  const reason = parts.wasRetired(id) ? `item ${id} has ended, and is no longer kept here` : whereIs(id);
  return { data: { item: id, known: false, reason } };
}

/** One page of the items that have not ended, in the order of their ids. `more`: ask again after the last one. */
export function answerItems(after: string | undefined, { items }: Pick<ItemParts, 'items'>): Answer {
  const living = [...items.entries()]
    .filter(([, state]) => !isSettled(state.phase))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const page: (Status & { readonly item: string })[] = [];
  let bytes = 0;
  const rest = after === undefined ? living : living.filter(([id]) => id > after);
  for (const [item, state] of rest) {
    const entry = { item, ...tell(state), history: [] };
    bytes += new TextEncoder().encode(JSON.stringify(entry)).byteLength;
    if (page.length > 0 && bytes > ITEMS_PAGE_BYTES_MAX) break;
    page.push(entry);
  }
  return { data: { items: page, more: page.length < rest.length, count: living.length } };
}

function tell(state: OwnedItem): Status {
  const status = toStatus(state);
  return { ...status, history: status.history.slice(-STEPS_TOLD) };
}
