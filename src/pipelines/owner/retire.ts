/** The retire stage: names the ended items to forget, each time it is due. The core decides which those are. */
import { concatMap, from, type Observable } from 'rxjs';
import type { OwnedItem } from '../../core/owner/owned-item.js';
import { chooseRetired } from '../../core/owner/retire.js';
import type { RunningTime } from './running-time.js';

/** Ids of the items to forget, each time it is due. */
export function retireItems(
  due$: Observable<unknown>,
  items: ReadonlyMap<string, OwnedItem>,
  keptMs: number,
  running: RunningTime,
): Observable<string> {
  return due$.pipe(concatMap(() => from(chooseRetired(items.values(), keptMs, running()))));
}
