/**
 * Answers questions about the items of this node: the status of one, and which have not ended. It changes nothing. A
 * client that was away when a status was published, or cleared, learns here what became of the item.
 */
import { toStatus } from '../../core/owner/item-status.js';
import { isSettled, type OwnedItem } from '../../core/owner/owned-item.js';
import { ITEMS_PAGE_BYTES_MAX } from '../../protocol/limits.js';
import type { Reason } from '../../protocol/reasons.js';
import type { Status } from '../../protocol/status.js';
import type { Answer } from './respond.js';

/** The items of this node, and which were here recently. */
export interface AnswerItemsDeps {
  readonly items: ReadonlyMap<string, OwnedItem>;
  wasRetired(item: string): boolean;
}

/** Number of history steps in an answer; the status on the bus has all of them. */
const HISTORY_MAX = 4;

/**
 * The status of an item. `known: false` is an answer too: there is no point in waiting for an item that its owner does
 * not know. `reason` then says whether it was here and has been forgotten.
 */
export function answerItem(id: string, deps: AnswerItemsDeps, whereIs: (id: string) => Reason): Answer {
  const state = deps.items.get(id);
  if (state !== undefined) return { data: { item: id, known: true, status: answerWith(state) } };
  const reason = deps.wasRetired(id) ? `item ${id} has ended, and is no longer kept here` : whereIs(id).text;
  return { data: { item: id, known: false, reason } };
}

/** One page of the items that have not ended, ordered by id. `more`: ask again, after the last one. */
export function answerItems(after: string | undefined, { items }: Pick<AnswerItemsDeps, 'items'>): Answer {
  const living = [...items.entries()]
    .filter(([, state]) => !isSettled(state.phase))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const page: (Status & { readonly item: string })[] = [];
  let bytes = 0;
  const rest = after === undefined ? living : living.filter(([id]) => id > after);
  for (const [item, state] of rest) {
    const entry = { item, ...answerWith(state), history: [] };
    bytes += new TextEncoder().encode(JSON.stringify(entry)).byteLength;
    if (page.length > 0 && bytes > ITEMS_PAGE_BYTES_MAX) break;
    page.push(entry);
  }
  return { data: { items: page, more: page.length < rest.length, count: living.length } };
}

function answerWith(state: OwnedItem): Status {
  const status = toStatus(state);
  return { ...status, history: status.history.slice(-HISTORY_MAX) };
}
