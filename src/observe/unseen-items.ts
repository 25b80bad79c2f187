/**
 * Items that wait and are not on the bus: an owner keeps only so many statuses there, and says in its state how many wait. Pure.
 */
import { STATUSES_RETAINED_MAX } from '../protocol/limits.js';
import type { Phase } from '../protocol/status.js';
import { isEnded, type MeshSnapshot } from './mesh-picture.js';

/** What a state counts as queued or deferred. */
const COUNTED: ReadonlySet<Phase> = new Set(['queued', 'offered', 'deferred']);

/**
 * By owner that is online: how many more wait than are on the bus. Only of owners that keep as many there as they ever do: with
 * others a count only runs a little ahead of the statuses, or behind.
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

/** Owners that may have items which are not on the bus, and can be asked. */
export function findCrowded({ members, items }: Pick<MeshSnapshot, 'members' | 'items'>): readonly string[] {
  return members.filter(({ id, online }) => online && isCrowded(items, id)).map((one) => one.id);
}

function isCrowded(items: MeshSnapshot['items'], owner: string): boolean {
  return items.filter((one) => one.owner === owner && !isEnded(one)).length >= STATUSES_RETAINED_MAX;
}
