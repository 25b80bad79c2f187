/**
 * Acks a claim: the only place where a receiver is chosen. The pair (epoch, receiver) is journalled BEFORE the ack is
 * published, and an epoch is acked only once, so two receivers can never hold the same epoch.
 */
import { busNow } from '../bus-time.js';
import type { Effect, Instant, Step, Way } from '../effects.js';
import { publish } from '../effects.js';
import { callLater, pathTo } from './direct-path.js';
import { shareWith } from './lease-message.js';
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

/** Makes the claimant the receiver of this epoch. */
export function ackClaim(state: OwnedItem, claim: HeardClaim, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const why = `${claim.from} claimed it with rank ${claim.rank} at a projected ratio of ${claim.projected_ratio.toFixed(2)}`;
  // A node needs no direct path to itself.
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
    leaseMs: state.spec.process === undefined ? rules.leaseMs : rules.processLeaseMs,
    avoid: state.source === null ? [] : [state.source.receiver],
    // The requested target applied to this move only.
    target: null,
    round: null,
    ...(state.unsure === true ? { unsure: false } : {}),
    answeredAt: busNow(rules, at),
    repeatAt: at.ms + rules.repeatMs,
  });
  return {
    state: next,
    effects: [
      persist(next),
      ...(servedOf(next) === null ? [] : [shareWith(next, claim.from)]),
      publishAck(next, rules),
    ],
  };
}

/** Publishes the ack. A repeat names the same receiver and extends nothing. */
export function publishAck(
  state: OwnedItem,
  rules: OwnerRules,
  way: Way | undefined = pathTo(state, state.receiver ?? '', rules),
): Effect {
  const served = servedOf(state);
  const fetched = served !== null;
  return publish(
    { kind: 'ack', owner: rules.self, item: state.spec.id },
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
      // The owner's own outputs are moved locally, without a transfer.
      ...(rules.sealKey === undefined || state.receiver === rules.self ? {} : { seal_key: rules.sealKey }),
      ...(isInline(state.spec.command) ? { command: commandOf(state.spec) } : {}),
    },
    way,
  );
}
