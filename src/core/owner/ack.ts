/**
 * A claim is acked: the one place where a receiver is chosen. The pair (epoch, receiver) is journalled BEFORE the ack is
 * said, and an epoch is acked once: with that no two receivers can ever hold one epoch.
 */
import type { Effect, Instant, Step } from '../effects.js';
import { say } from '../effects.js';
import {
  commandOf,
  enterPhase,
  isInline,
  persist,
  type HeardClaim,
  type OwnedItem,
  type OwnerRules,
} from './owned-item.js';

/** Gives the item to the claimant. */
export function ackClaim(state: OwnedItem, claim: HeardClaim, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const why = `${claim.from} claimed it with rank ${claim.rank} at a projected ratio of ${claim.projected_ratio.toFixed(2)}`;
  const next = enterPhase(state, 'acked', why, at, {
    receiver: claim.from,
    claimRenewal: claim.renewal,
    attempts: state.attempts + 1,
    leaseMs: rules.leaseMs,
    avoid: [],
    // What a person wished held for this move only.
    target: null,
    round: null,
    answeredAt: at.ms,
    repeatAt: at.ms + rules.repeatMs,
  });
  return { state: next, effects: [persist(next), ...shareWith(next, claim.from), sayAck(next, rules)] };
}

function shareWith(state: OwnedItem, receiver: string): Effect[] {
  if (state.bundle === null) return [];
  return [{ type: 'Share', item: state.item.item, epoch: state.epoch, to: receiver }];
}

/** Says the ack, first or again: a repeat names the same receiver and extends nothing. */
export function sayAck(state: OwnedItem, rules: OwnerRules): Effect {
  const fetched = state.bundle !== null;
  return say(
    { kind: 'ack', owner: rules.self, item: state.item.item },
    {
      epoch: state.epoch,
      to: state.receiver ?? rules.self,
      renewal: state.claimRenewal,
      lease_ms: state.leaseMs,
      transport: fetched ? 'https' : 'none',
      urls: fetched ? rules.urls : [],
      ...(state.bundle === null ? {} : { manifest_sha256: state.bundle.sha256 }),
      ...(isInline(state.item.command) ? { command: commandOf(state.item) } : {}),
    },
  );
}
