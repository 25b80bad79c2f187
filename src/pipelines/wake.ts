/**
 * The wake stage: when the sum turned negative or slots became free, sleeping items wake, never more than the free slots.
 */
import { concatMap, from, type Observable } from 'rxjs';
import type { OwnedItem } from '../core/owner/owned-item.js';
import { chooseWakes, type WakingFacts } from '../core/waking.js';
import type { NodeInput } from './inputs.js';

/** What the wake stage reads when it is due. */
export interface WakeParts {
  sleeping(): Iterable<OwnedItem>;
  facts(): WakingFacts;
}

/** Wakes items each time it is due. */
export function wakeItems(due$: Observable<unknown>, parts: WakeParts): Observable<NodeInput> {
  return due$.pipe(
    concatMap(() =>
      from(
        chooseWakes(parts.sleeping(), parts.facts()).map((item): NodeInput => ({
          type: 'OwnerFact',
          item,
          fact: { type: 'WakeChosen', reason: 'the mesh sum is negative: idle work wakes' },
        })),
      ),
    ),
  );
}
