/**
 * The claim stage: keeps the open offers, and each time an offer, the member table or this node's own state changed,
 * claims those whose turn it is. A claim of a later rank waits its time and is decided again when that has passed.
 */
import { concat, defer, from, switchMap, timer, type Observable } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import {
  openOfferKey,
  chooseClaims,
  recordOffer,
  type ClaimContext,
  type OpenOffers,
} from '../../core/placement/open-offers.js';
import type { NodeInput } from '../inputs.js';

/** What the claim stage reads when it is due. */
export interface ClaimDeps {
  readonly openOffers: OpenOffers;
  readonly clock: Clock;
  context(): ClaimContext;
}

/**
 * Claims each time it is due. The newest decision replaces one that waits (`switchMap`), since it sees everything
 * again.
 */
export function claimOffers(due$: Observable<unknown>, deps: ClaimDeps): Observable<NodeInput> {
  return due$.pipe(switchMap(() => claimNow(deps)));
}

function claimNow(deps: ClaimDeps): Observable<NodeInput> {
  return defer(() => {
    const { claims, lookAt } = chooseClaims(deps.openOffers, deps.context());
    const now$ = from(claims.map((claim): NodeInput => ({ type: 'ClaimChosen', claim })));
    if (lookAt === undefined) return now$;
    const waitMs = Math.max(1, Math.ceil(lookAt - deps.clock.now()));
    return concat(now$, timer(waitMs, deps.clock.scheduler).pipe(switchMap(() => claimNow(deps))));
  });
}

/** Keeps the open offers: records an offer, and removes it when it is acked. Returns whether they changed. */
export function trackOffers(openOffers: OpenOffers, input: NodeInput, now: number): boolean {
  if (input.type === 'OfferHeard') {
    recordOffer(openOffers, input.owner, input.item, input.offer, now);
    return true;
  }
  if (input.type === 'AckHeard') {
    const key = openOfferKey(input.owner, input.item);
    const standing = openOffers.get(key);
    // A late copy of an older epoch's ack removes nothing.
    return standing !== undefined && standing.offer.epoch <= input.ack.epoch && openOffers.delete(key);
  }
  return false;
}
