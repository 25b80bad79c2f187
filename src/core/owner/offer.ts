/**
 * Offers an item; one round is one epoch. The offer is repeated until a claim is acked or the round expires; the best
 * claim is passed to `ack.ts`.
 */
import type { Effect, Instant, Step } from '../effects.js';
import { publish } from '../effects.js';
import { ackClaim } from './ack.js';
import { clip } from '../../protocol/clip.js';
import {
  placementFor,
  enterPhase,
  servedOf,
  type HeardClaim,
  type OwnedItem,
  type OwnerRules,
  type Round,
} from './owned-item.js';
import { enterQueue } from './submit.js';

/** Opens a round with the next epoch. Nothing is journalled: an epoch that was not acked has no meaning. */
export function openRound(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.phase !== 'queued' || at.ms < state.notBefore) return { state, effects: [] };
  const round: Round = {
    endsAt: at.ms + rules.offerTtlMs,
    repeatAt: at.ms + rules.repeatMs,
    windowEndsAt: undefined,
    claims: [],
  };
  const next = enterPhase(state, 'offered', reason, at, {
    epoch: Math.max(state.epoch, state.lastEpoch) + 1,
    round,
  });
  return { state: next, effects: [publishOffer(next, round, at, rules)] };
}

function publishOffer(state: OwnedItem, round: Round, at: Instant, rules: OwnerRules): Effect {
  const request = placementFor(state, rules.self);
  const ttlMs = Math.max(1, Math.ceil(round.endsAt - at.ms));
  return publish(
    { kind: 'offer', owner: rules.self, item: state.spec.id },
    {
      epoch: state.epoch,
      kind: state.image !== null ? 'process' : 'job',
      name: state.spec.name,
      need: request.need,
      size_bytes: servedOf(state)?.bytes ?? 0,
      hops: state.hops,
      avoid: request.avoid,
      deferred: state.spec.deferred,
      reason: state.reason,
      ttl_ms: ttlMs,
      expires_at: new Date(Date.parse(at.ts) + ttlMs).toISOString(),
    },
  );
}

/** Handles a claim: one of rank 0 is acked immediately, any other waits for a better one. */
export function handleClaim(state: OwnedItem, claim: HeardClaim, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { round } = state;
  if (state.phase !== 'offered' || round === null || claim.epoch !== state.epoch) return { state, effects: [] };
  // The claimant would not hear the ack, and no other node could take the item until the lease ended.
  if (rules.isAlone === true && claim.from !== rules.self) return { state, effects: [] };
  const request = placementFor(state, rules.self);
  if (request.avoid.includes(claim.from)) return { state, effects: [] };
  if (request.need.on !== undefined && request.need.on !== claim.from) return { state, effects: [] };
  if (claim.rank === 0) return ackClaim(state, claim, at, rules);
  const claims = [...round.claims.filter((one) => one.from !== claim.from), claim];
  const windowEndsAt = round.windowEndsAt ?? at.ms + rules.claimWindowMs;
  return { state: { ...state, round: { ...round, claims, windowEndsAt } }, effects: [] };
}

/** Time passed in a round: ack the best claim, repeat the offer, or end the round. */
export function expireRound(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { round } = state;
  if (round === null) return { state, effects: [] };
  const best = bestClaim(round.claims);
  // The end of the round ends the claim window, too: a claim in its last ms still counts.
  if (best !== undefined && at.ms >= Math.min(round.windowEndsAt ?? round.endsAt, round.endsAt)) {
    return ackClaim(state, best, at, rules);
  }
  // Members that had refused were left out of this round only.
  if (at.ms >= round.endsAt)
    return {
      state: enterQueue(state, 'nobody claimed it', at, { avoid: sourcesOf(state), target: null }),
      effects: [],
    };
  if (at.ms < round.repeatAt) return { state, effects: [] };
  // Pauses grow: receivers remember an offer, and with many waiting items repeats would be most of the traffic.
  const passedMs = at.ms - (round.endsAt - rules.offerTtlMs);
  const next = { ...round, repeatAt: at.ms + rules.repeatMs + passedMs };
  return { state: { ...state, round: next }, effects: [publishOffer(state, next, at, rules)] };
}

/**
 * Until when the members in `avoid` are left out and the requested target is waited for, monotonic ms; `undefined` if
 * neither applies. A member that refused or failed comes last but is not excluded: if it is the only receiver, the item
 * would wait forever.
 */
export function avoidEnd(state: OwnedItem, rules: OwnerRules): number | undefined {
  return state.avoid.length + state.excludedForMove.length === sourcesOf(state).length && state.target === null
    ? undefined
    : state.waitsSince + rules.offerTtlMs;
}

/** The copy cannot go where the stopped original is. */
function sourcesOf(state: OwnedItem): string[] {
  return state.source === null ? [] : [state.source.receiver];
}

/** Time passed while the item waits for an offer. */
export function expireWait(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const endsAt = avoidEnd(state, rules);
  if (endsAt === undefined || at.ms < endsAt) return { state, effects: [] };
  const { target } = state;
  const why = target === null ? {} : { reason: `${target}, the requested node, did not take it`, code: undefined };
  return { state: { ...state, avoid: sourcesOf(state), excludedForMove: [], target: null, ...why }, effects: [] };
}

/**
 * The broker went away during a round. A claim of this node itself is acked; otherwise the epoch, which nobody was
 * acked for, ends here, and the offer stage chooses among the nodes that can be reached now.
 */
export function closeRound(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { round } = state;
  if (state.phase !== 'offered' || round === null) return { state, effects: [] };
  const own = round.claims.find((claim) => claim.from === rules.self);
  if (own !== undefined) return ackClaim(state, own, at, rules);
  return { state: enterQueue(state, 'the broker went away', at), effects: [] };
}

function bestClaim(claims: readonly HeardClaim[]): HeardClaim | undefined {
  return claims.toSorted((a, b) => a.rank - b.rank || a.projected_ratio - b.projected_ratio)[0];
}

/** Records why an item goes on waiting, for its status. */
export function passOver(
  state: OwnedItem,
  { reason, code, blocked }: Pick<OwnedItem, 'reason' | 'code' | 'blocked'>,
): Step<OwnedItem> {
  if (state.phase !== 'queued' && state.phase !== 'deferred') return { state, effects: [] };
  return { state: { ...state, reason: clip(reason), code, blocked }, effects: [] };
}
