/**
 * A claim is acked: the one place where a receiver is chosen. The pair (epoch, receiver) is journalled BEFORE the ack is
 * said, and an epoch is acked once: with that no two receivers can ever hold one epoch.
 */
import { busNow } from '../bus-time.js';
import type { Effect, Instant, Step, Way } from '../effects.js';
import { say } from '../effects.js';
import { callLater, wayTo } from './direct.js';
import { shareWith } from './order.js';
import {
  commandOf,
  enterPhase,
  isInline,
  servedOf,
  persist,
  UNHEARD,
  type HeardClaim,
  type OwnedItem,
  type OwnerRules,
} from './owned-item.js';

/** Gives the item to the claimant. */
export function ackClaim(state: OwnedItem, claim: HeardClaim, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const why = `${claim.from} claimed it with rank ${claim.rank} at a projected ratio of ${claim.projected_ratio.toFixed(2)}`;
  // Nobody needs a way to itself.
  const urls = claim.from === rules.self ? [] : (claim.urls ?? []);
  const next = enterPhase(state, 'acked', why, at, {
    lastEpoch: state.epoch,
    order: 'hold',
    receiver: claim.from,
    receiverUrls: urls,
    ...UNHEARD,
    ...callLater(urls, at, rules.leaseMs),
    claimRenewal: claim.renewal,
    attempts: state.attempts + 1,
    leaseMs: state.item.process === undefined ? rules.leaseMs : rules.processLeaseMs,
    avoid: state.source === null ? [] : [state.source.receiver],
    // What a person wished held for this move only.
    target: null,
    round: null,
    ...(state.unsure === true ? { unsure: false } : {}),
    answeredAt: busNow(rules, at),
    repeatAt: at.ms + rules.repeatMs,
  });
  return {
    state: next,
    effects: [persist(next), ...(servedOf(next) === null ? [] : [shareWith(next, claim.from)]), sayAck(next, rules)],
  };
}

/** Says the ack, first or again: a repeat names the same receiver and extends nothing. */
export function sayAck(
  state: OwnedItem,
  rules: OwnerRules,
  way: Way | undefined = wayTo(state, state.receiver ?? '', rules),
): Effect {
  const served = servedOf(state);
  const fetched = served !== null;
  return say(
    { kind: 'ack', owner: rules.self, item: state.item.item },
    {
      epoch: state.epoch,
      to: state.receiver ?? rules.self,
      renewal: state.claimRenewal,
      lease_ms: state.leaseMs,
      transport: fetched ? 'https' : 'none',
      urls: rules.urls,
      direct: true,
      ...(served === null ? {} : { manifest_sha256: served.sha256 }),
      ...(state.image === null ? {} : { image: true }),
      // To itself it comes home without a transfer.
      ...(rules.sealKey === undefined || state.receiver === rules.self ? {} : { seal_key: rules.sealKey }),
      ...(isInline(state.item.command) ? { command: commandOf(state.item) } : {}),
    },
    way,
  );
}
