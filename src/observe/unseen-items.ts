/**
 * Waiting items that are not on the bus: an owner retains a limited number of statuses there, and its state says how
 * many items wait. Pure.
 */
import { STATUSES_RETAINED_MAX } from '../protocol/limits.js';
import type { Phase } from '../protocol/status.js';
import { isEnded, type MeshSnapshot } from './mesh-model.js';

/** The phases that a state counts as queued or deferred. */
const COUNTED: ReadonlySet<Phase> = new Set(['queued', 'offered', 'deferred']);

/**
 * For each online owner: how many more items wait than are on the bus. Only for owners that have reached their limit
 * there; for others the count is only briefly ahead of the statuses, or behind.
 */
export function countUnseen({
  members,
  items,
}: Pick<MeshSnapshot, 'members' | 'items'>): readonly { readonly owner: string; readonly count: number }[] {
  return members.flatMap(({ id, online, state }) => {
    if (!online || state === undefined || !isCrowded(items, id)) return [];
    const seen = items.filter((one) => one.owner === id && COUNTED.has(one.phase)).length;
    const count = state.queued + state.deferred - seen;
    return count > 0 ? [{ owner: id, count }] : [];
  });
}

/** Online owners that may have items which are not on the bus. */
export function findCrowded({ members, items }: Pick<MeshSnapshot, 'members' | 'items'>): readonly string[] {
  return members.filter(({ id, online }) => online && isCrowded(items, id)).map((one) => one.id);
}

function isCrowded(items: MeshSnapshot['items'], owner: string): boolean {
  return items.filter((one) => one.owner === owner && !isEnded(one)).length >= STATUSES_RETAINED_MAX;
}
