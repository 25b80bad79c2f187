/**
 * An item is offered: one round is one epoch. The offer is repeated until it is acked or its time is over; claims are
 * heard, and the best one is handed to `ack.ts`.
 */
import type { Effect, Instant, Step } from '../effects.js';
import { say } from '../effects.js';
import { ackClaim } from './ack.js';
import { clip } from '../../protocol/clip.js';
import {
  askFor,
  enterPhase,
  servedOf,
  type HeardClaim,
  type OwnedItem,
  type OwnerRules,
  type Round,
} from './owned-item.js';
import { enterQueue } from './submit.js';

/** Opens a round with the next epoch. Nothing is journalled: until an epoch is acked it means nothing. */
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
  return { state: next, effects: [sayOffer(next, round, at, rules)] };
}

function sayOffer(state: OwnedItem, round: Round, at: Instant, rules: OwnerRules): Effect {
  const ask = askFor(state, rules.self);
  const ttlMs = Math.max(1, Math.ceil(round.endsAt - at.ms));
  return say(
    { kind: 'offer', owner: rules.self, item: state.item.item },
    {
      epoch: state.epoch,
      kind: state.image !== null ? 'process' : 'job',
      name: state.item.name,
      need: ask.need,
      size_bytes: servedOf(state)?.bytes ?? 0,
      hops: state.hops,
      avoid: ask.avoid,
      deferred: state.item.deferred,
      reason: state.reason,
      ttl_ms: ttlMs,
      expires_at: new Date(Date.parse(at.ts) + ttlMs).toISOString(),
    },
  );
}

/** Hears a claim: the first of rank 0 is acked at once, any other waits for a better one. */
export function hearClaim(state: OwnedItem, claim: HeardClaim, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { round } = state;
  if (state.phase !== 'offered' || round === null || claim.epoch !== state.epoch) return { state, effects: [] };
  // Acked now, the claimant would not hear of it, and nobody else could have the item until its lease ended.
  if (rules.isAlone === true && claim.from !== rules.self) return { state, effects: [] };
  const ask = askFor(state, rules.self);
  if (ask.avoid.includes(claim.from)) return { state, effects: [] };
  if (ask.need.on !== undefined && ask.need.on !== claim.from) return { state, effects: [] };
  if (claim.rank === 0) return ackClaim(state, claim, at, rules);
  const claims = [...round.claims.filter((one) => one.from !== claim.from), claim];
  const windowEndsAt = round.windowEndsAt ?? at.ms + rules.claimWindowMs;
  return { state: { ...state, round: { ...round, claims, windowEndsAt } }, effects: [] };
}

/** Time passed in a round: take the best claim, repeat the offer, or end the round. */
export function passRoundTime(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { round } = state;
  if (round === null) return { state, effects: [] };
  const best = bestClaim(round.claims);
  // A claim in the round's last moment is as good as any: the round's end ends the window too.
  if (best !== undefined && at.ms >= Math.min(round.windowEndsAt ?? round.endsAt, round.endsAt)) {
    return ackClaim(state, best, at, rules);
  }
  // What a refusal shut out was shut out of this round only.
  if (at.ms >= round.endsAt)
    return {
      state: enterQueue(state, 'nobody claimed it', at, { avoid: sourcesOf(state), target: null }),
      effects: [],
    };
  if (at.ms < round.repeatAt) return { state, effects: [] };
  // Ever longer pauses: what was not lost is remembered, and where many wait, their offers are most of what all hear.
  const passedMs = at.ms - (round.endsAt - rules.offerTtlMs);
  const next = { ...round, repeatAt: at.ms + rules.repeatMs + passedMs };
  return { state: { ...state, round: next }, effects: [sayOffer(state, next, at, rules)] };
}

/**
 * Until when the members in `avoid` are left out, and until when it waits for the one that a person wished, monotonic ms. The one that refused or failed goes last, it is not shut
 * out: where it is the only receiver, the item would wait for ever.
 */
export function avoidEnd(state: OwnedItem, rules: OwnerRules): number | undefined {
  return state.avoid.length + state.shun.length === sourcesOf(state).length && state.target === null
    ? undefined
    : state.waitsSince + rules.offerTtlMs;
}

/** Where the stopped original is, the copy cannot go. */
function sourcesOf(state: OwnedItem): string[] {
  return state.source === null ? [] : [state.source.receiver];
}

/** Time passed while the item waits for an offer. */
export function passWaitTime(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const endsAt = avoidEnd(state, rules);
  if (endsAt === undefined || at.ms < endsAt) return { state, effects: [] };
  const reason = state.target === null ? state.reason : `${state.target}, where it was to go, did not take it`;
  return { state: { ...state, avoid: sourcesOf(state), shun: [], target: null, reason }, effects: [] };
}

/**
 * The broker went away in the middle of a round. A claim of this node's own is as good as ever; else the epoch ends
 * here, which nobody was acked, and the offer stage looks who can be reached now.
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

/** Notes why an item goes on waiting; the status shows it. */
export function passOver(state: OwnedItem, reason: string, blocked: OwnedItem['blocked']): Step<OwnedItem> {
  if (state.phase !== 'queued' && state.phase !== 'deferred') return { state, effects: [] };
  return { state: { ...state, reason: clip(reason), blocked }, effects: [] };
}
