/**
 * Claims an offer. A claim holds slots for a short time and starts the clock of the lease: it is numbered as the first
 * renewal, and only an ack that names this number answers it. It grants nothing until the owner's ack names this node.
 */
import type { Offer } from '../../protocol/work-messages.js';
import type { Effect, Instant, Step } from '../effects.js';
import { publish } from '../effects.js';
import { needOf } from '../placement/open-offers.js';
import type { Guest, ReceiverRules } from './guest.js';

/** The contents of a claim. */
export interface ClaimTerms {
  readonly owner: string;
  readonly item: string;
  readonly offer: Offer;
  readonly rank: number;
  /** Number of this claim, above all earlier claims of this node. */
  readonly renewal: number;
  readonly projectedRatio: number;
  readonly slotsFree: number;
}

/** Creates the guest of a claim and publishes the claim. */
export function claimOffer(terms: ClaimTerms, at: Instant, rules: ReceiverRules): Step<Guest> {
  const guest: Guest = {
    owner: terms.owner,
    item: terms.item,
    epoch: terms.offer.epoch,
    name: terms.offer.name,
    need: needOf(terms.offer),
    phase: 'claimed',
    command: null,
    leaseMs: 0,
    urls: [],
    sha256: null,
    handle: null,
    stopping: null,
    stopReason: '',
    startedAt: null,
    result: null,
    image: false,
    process: null,
    move: 0,
    refused: null,
    rank: terms.rank,
    claimedAt: at.ms,
    leaseEndsAt: at.ms,
    renewal: terms.renewal,
    claimRenewal: terms.renewal,
    sent: [],
    probedAt: Number.NEGATIVE_INFINITY,
    reached: false,
    ordered: null,
    renewAt: Number.POSITIVE_INFINITY,
    startedMs: at.ms,
    repeatAt: Number.POSITIVE_INFINITY,
    repeatMs: rules.repeatMs,
    endedMs: at.ms,
    wish: null,
    keepsFiles: false,
  };
  return { state: guest, effects: [publishClaim(guest, terms, rules)] };
}

/** Publishes the claim. A repeat does not restart the clock, so the lease never ends later than the owner assumes. */
export function publishClaim(
  guest: Guest,
  terms: Pick<ClaimTerms, 'projectedRatio' | 'slotsFree'>,
  rules: ReceiverRules,
): Effect {
  return publish(
    { kind: 'claim', owner: guest.owner, item: guest.item, node: rules.self },
    {
      epoch: guest.epoch,
      renewal: guest.claimRenewal,
      projected_ratio: terms.projectedRatio,
      slots_free: terms.slotsFree,
      rank: guest.rank,
      ...(rules.urls.length === 0 ? {} : { urls: rules.urls }),
    },
  );
}
