/**
 * The retire stage: items that ended long ago leave the journal and the disk, and so do the oldest of them when there are
 * too many. What has not ended is never touched.
 */
import { concatMap, from, type Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { isSettled, type OwnedItem } from '../core/owner/owned-item.js';

/** Ended items that a node keeps; their outputs lie in its state directory so long. */
const SETTLED_KEPT_MAX = 1000;

/** Ids of the items to forget, each time it is due. */
export function retireItems(
  due$: Observable<unknown>,
  items: ReadonlyMap<string, OwnedItem>,
  keptMs: number,
  clock: Clock,
): Observable<string> {
  return due$.pipe(concatMap(() => from(chooseRetired([...items.values()], keptMs, clock.wall()))));
}

function chooseRetired(items: readonly OwnedItem[], keptMs: number, wall: number): string[] {
  const ended = items
    .filter((state) => isSettled(state.phase))
    .map((state) => ({ id: state.item.item, at: Date.parse(state.history.at(-1)?.ts ?? '') }))
    .toSorted((a, b) => a.at - b.at);
  const tooMany = Math.max(0, ended.length - SETTLED_KEPT_MAX);
  return ended.filter((one, index) => index < tooMany || wall - one.at > keptMs).map((one) => one.id);
}
