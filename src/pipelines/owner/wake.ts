/**
 * The wake stage: when the sum turned negative or slots became free, deferred items wake, never more than the free
 * slots.
 */
import { concatMap, from, type Observable } from 'rxjs';
import type { OwnedItem } from '../../core/owner/owned-item.js';
import { chooseWakes, WAKE_REASON, type WakeContext } from '../../core/placement/waking.js';
import type { NodeInput } from '../inputs.js';

/** What the wake stage reads when it is due. */
export interface WakeDeps {
  sleeping(): Iterable<OwnedItem>;
  context(): WakeContext;
}

/** Wakes items each time it is due. */
export function wakeItems(due$: Observable<unknown>, deps: WakeDeps): Observable<NodeInput> {
  return due$.pipe(
    concatMap(() =>
      from(
        chooseWakes(deps.sleeping(), deps.context()).map((item): NodeInput => ({
          type: 'ItemInput',
          item,
          input: { type: 'WakeChosen', reason: WAKE_REASON },
        })),
      ),
    ),
  );
}
