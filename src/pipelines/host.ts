/**
 * The receiver's stage: facts about guests go to the guest's own state machine. Acks and leases come by item and epoch and
 * are handed to the guest they mean; an ack for a claim that was given up is refused, so that its owner need not wait.
 */
import type { Clock } from '../clock/clock.js';
import type { Effect } from '../core/effects.js';
import { claimOffer } from '../core/receiver/claim.js';
import { guestName, type Guest, type ReceiverRules } from '../core/receiver/guest.js';
import type { ReceiverInput } from '../core/receiver/inputs.js';
import { guestWakeTime, stepReceiver } from '../core/receiver/step.js';
import { hearAck } from '../core/receiver/accept.js';
import type { Ack, State } from '../protocol/messages.js';
import type { NodeInput } from './inputs.js';
import { createLedger, instantOf, type Ledger } from './ledger.js';

/** What hosting needs. */
export interface HostParts {
  readonly clock: Clock;
  rules(): ReceiverRules;
  /** This node's own state; `undefined` before the first sample. */
  state(): State | undefined;
  /** Why an acked item of this owner cannot be taken after all. */
  obstacle(owner: string): string | undefined;
  perform(subject: string, effects: readonly Effect[]): void;
  changed(before: Guest | undefined, after: Guest | undefined): void;
}

/** The guests of this node. */
export interface Hosting {
  readonly ledger: Ledger<Guest, ReceiverInput>;
  rules(): ReceiverRules;
  take(input: NodeInput): void;
}

/** Makes the receiver's stage. */
export function hostGuests(parts: HostParts): Hosting {
  const ledger = createLedger<Guest, ReceiverInput>({
    clock: parts.clock,
    step: (state, input, at) => stepReceiver(state, input, at, parts.rules()),
    wakeTime: (state) => guestWakeTime(state, parts.rules()),
    timePassed: { type: 'TimePassed' },
    perform: (name, effects) => parts.perform(`guest/${name}`, effects),
    changed: (_name, before, after) => parts.changed(before, after),
  });

  let claims = 0;

  function take(input: NodeInput): void {
    switch (input.type) {
      case 'ClaimChosen':
        return openClaim(input.claim);
      case 'OfferHeard':
        return repeatClaim(guestName({ ...input, epoch: input.offer.epoch }));
      case 'AckSeen':
        return takeAck(input.owner, input.item, input.ack);
      case 'LeaseSeen':
        ledger.feed(guestName({ ...input, epoch: input.lease.epoch }), { type: 'LeaseHeard', lease: input.lease });
        return;
      case 'GuestFact':
        ledger.feed(input.guest, input.fact);
        return;
      default:
    }
  }

  function openClaim({ standing, rank }: Extract<NodeInput, { type: 'ClaimChosen' }>['claim']): void {
    const { owner, item, offer } = standing;
    const name = guestName({ owner, item, epoch: offer.epoch });
    if (ledger.states.has(name)) return;
    ledger.open(
      name,
      claimOffer(
        { owner, item, offer, rank, renewal: numberClaim(), ...terms() },
        instantOf(parts.clock),
        parts.rules(),
      ),
    );
  }

  function numberClaim(): number {
    claims += 1;
    return parts.rules().renewalBase + claims;
  }

  function terms(): { readonly projectedRatio: number; readonly slotsFree: number } {
    const state = parts.state();
    return { projectedRatio: state?.projected_ratio ?? 0, slotsFree: state?.slots_free ?? 0 };
  }

  function repeatClaim(name: string): void {
    if (ledger.states.get(name)?.phase === 'claimed') ledger.feed(name, { type: 'OfferRepeated', ...terms() });
  }

  function takeAck(owner: string, item: string, ack: Ack): void {
    const { self } = parts.rules();
    const name = guestName({ owner, item, epoch: ack.epoch });
    const obstacle = parts.obstacle(owner);
    if (ledger.feed(name, { type: 'AckHeard', ack, obstacle }) || ack.to !== self) return;
    const forgotten = claimOffer(strayTerms(owner, item, ack), instantOf(parts.clock), parts.rules());
    const refused = hearAck(
      forgotten.state,
      ack,
      'its claim was given up before the ack came',
      instantOf(parts.clock),
      parts.rules(),
    );
    ledger.open(name, refused);
  }

  return { ledger, rules: parts.rules, take };
}

/** Terms of a claim that this node does not remember: only good to be refused. */
function strayTerms(owner: string, item: string, ack: Ack): Parameters<typeof claimOffer>[0] {
  return {
    owner,
    item,
    offer: {
      epoch: ack.epoch,
      kind: 'job',
      name: item,
      need: { cpus: 1, labels: [], abilities: [] },
      size_bytes: 0,
      hops: 0,
      avoid: [],
      deferred: false,
      reason: '',
      ttl_ms: 1,
      expires_at: '',
    },
    rank: 0,
    renewal: 0,
    projectedRatio: 0,
    slotsFree: 0,
  };
}
