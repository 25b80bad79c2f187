/**
 * The claim stage: offers that were heard wait in a book; each time an offer, the view or this node's own condition changed,
 * those whose turn it is are claimed. A claim of a later rank waits its time and is looked at afresh when it has passed.
 */
import { concat, defer, from, switchMap, timer, type Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { bookKey, chooseClaims, noteOffer, type ClaimingFacts, type OfferBook } from '../core/offer-book.js';
import type { NodeInput } from './inputs.js';

/** What the claim stage reads when it is due. */
export interface ClaimParts {
  readonly book: OfferBook;
  readonly clock: Clock;
  facts(): ClaimingFacts;
}

/** Claims each time it is due; the newest look replaces a waiting one (`switchMap`), since it sees everything anew. */
export function claimOffers(due$: Observable<unknown>, parts: ClaimParts): Observable<NodeInput> {
  return due$.pipe(switchMap(() => look(parts)));
}

function look(parts: ClaimParts): Observable<NodeInput> {
  return defer(() => {
    const { claims, lookAt } = chooseClaims(parts.book, parts.facts());
    const now$ = from(claims.map((claim): NodeInput => ({ type: 'ClaimChosen', claim })));
    if (lookAt === undefined) return now$;
    const waitMs = Math.max(1, Math.ceil(lookAt - parts.clock.now()));
    return concat(now$, timer(waitMs, parts.clock.scheduler).pipe(switchMap(() => look(parts))));
  });
}

/** Keeps the book: an offer is noted, an ack strikes it out. Says whether the book changed. */
export function keepBook(book: OfferBook, input: NodeInput, now: number): boolean {
  if (input.type === 'OfferHeard') {
    noteOffer(book, input.owner, input.item, input.offer, now);
    return true;
  }
  if (input.type === 'AckSeen') {
    const key = bookKey(input.owner, input.item);
    const standing = book.get(key);
    // A late copy of an older epoch's ack strikes nothing out.
    return standing !== undefined && standing.offer.epoch <= input.ack.epoch && book.delete(key);
  }
  return false;
}
