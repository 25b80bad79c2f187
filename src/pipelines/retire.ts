/**
 * The retire stage: items that ended long ago leave the journal and the disk, and so do the oldest of them when there are
 * too many. What has not ended is never touched. Long ago is counted in running time and not by the wall clock.
 */
import { concatMap, from, type Observable } from 'rxjs';
import { isSettled, type OwnedItem } from '../core/owner/owned-item.js';
import type { RunningTime } from './running-time.js';

/** Ended items that a node keeps; their outputs lie in its state directory so long. */
const SETTLED_KEPT_MAX = 1000;

/** Ids of the items to forget, each time it is due. */
export function retireItems(
  due$: Observable<unknown>,
  items: ReadonlyMap<string, OwnedItem>,
  keptMs: number,
  running: RunningTime,
): Observable<string> {
  return due$.pipe(concatMap(() => from(chooseRetired([...items.values()], keptMs, running()))));
}

function chooseRetired(items: readonly OwnedItem[], keptMs: number, now: number): string[] {
  const ended = items
    .filter((state) => isSettled(state.phase))
    // One whose end was not dated ended just now.
    .map((state) => ({ id: state.item.item, at: state.endedRunningMs ?? now }))
    .toSorted((a, b) => a.at - b.at);
  const tooMany = Math.max(0, ended.length - SETTLED_KEPT_MAX);
  return ended.filter((one, index) => index < tooMany || now - one.at > keptMs).map((one) => one.id);
}
