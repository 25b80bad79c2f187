/**
 * The offer stage: each time the queue or the member table changed, it offers the chosen waiting items, and reports to
 * the others why they wait.
 */
import { concatMap, from, type Observable } from 'rxjs';
import { chooseOffers, type Offering, type OfferContext } from '../../core/placement/offering.js';
import type { OwnedItem } from '../../core/owner/owned-item.js';
import type { NodeInput } from '../inputs.js';

/** What the offer stage reads when it is due. */
export interface OfferDeps {
  /** The waiting items, oldest first, and those of them that do not know that they are behind others. */
  queue(): Iterable<OwnedItem>;
  unexplained(): Iterable<OwnedItem>;
  context(): OfferContext;
}

/** Chooses offers each time it is due. Choices must be made in order and none may be dropped, so `concatMap`. */
export function offerItems(due$: Observable<unknown>, deps: OfferDeps): Observable<NodeInput> {
  return due$.pipe(concatMap(() => from(chooseOffers(deps.queue(), deps.context(), deps.unexplained()).map(toInput))));
}

function toInput(offering: Offering): NodeInput {
  const input = offering.offer
    ? ({ type: 'OfferChosen', reason: offering.reason } as const)
    : ({ type: 'ItemPassedOver', reason: offering.reason, code: offering.code, blocked: offering.blocked } as const);
  return { type: 'ItemInput', item: offering.item, input };
}
