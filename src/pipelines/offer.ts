/**
 * The offer stage: each time the queue or the view changed, it chooses which waiting items are offered, and tells the
 * others why they wait.
 */
import { concatMap, from, type Observable } from 'rxjs';
import { chooseOffers, type Offering, type OfferingFacts } from '../core/offering.js';
import type { OwnedItem } from '../core/owner/owned-item.js';
import type { NodeInput } from './inputs.js';

/** What the offer stage reads when it is due. */
export interface OfferParts {
  queue(): Iterable<OwnedItem>;
  facts(): OfferingFacts;
}

/** Chooses offers each time it is due. Choices are made one after another, so `concatMap`; none is ever dropped. */
export function offerItems(due$: Observable<unknown>, parts: OfferParts): Observable<NodeInput> {
  return due$.pipe(concatMap(() => from(chooseOffers(parts.queue(), parts.facts()).map(toInput))));
}

function toInput(offering: Offering): NodeInput {
  const fact = offering.offer
    ? ({ type: 'OfferChosen', reason: offering.reason } as const)
    : ({ type: 'ItemPassedOver', reason: offering.reason, blocked: offering.blocked } as const);
  return { type: 'OwnerFact', item: offering.item, fact };
}
