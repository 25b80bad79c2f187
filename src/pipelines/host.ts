/**
 * The receiver's stage: facts about guests go to the guest's own state machine. Acks and leases come by item and epoch and
 * are handed to the guest they mean; an ack for a claim that was given up is refused, so that its owner need not wait.
 */
import type { Clock } from '../clock/clock.js';
import { say, type Effect } from '../core/effects.js';
import { FOUND_EPOCH } from '../core/owner/owned-item.js';
import { claimOffer } from '../core/receiver/claim.js';
import { guestName, type Guest, type ReceiverRules } from '../core/receiver/guest.js';
import type { ReceiverInput } from '../core/receiver/inputs.js';
import { guestWakeTime, stepReceiver } from '../core/receiver/step.js';
import { takeProcess } from '../core/receiver/take.js';
import type { Item } from '../protocol/item.js';
import type { State } from '../protocol/messages.js';
import type { Lease, Result } from '../protocol/work-messages.js';
import type { NodeInput } from './inputs.js';
import { createLedger, instantOf, type Ledger } from './ledger.js';

/** What hosting needs. */
export interface HostParts {
  readonly clock: Clock;
  rules(): ReceiverRules;
  /** This node's own state; `undefined` before the first sample. */
  state(): State | undefined;
  /** Why an acked item of this owner cannot be taken after all. */
  obstacle(owner: string, guest?: Guest): string | undefined;
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
      case 'ItemSubmitted':
        return openProcess(input.item);
      case 'ClaimChosen':
        return openClaim(input.claim);
      case 'OfferHeard':
        return repeatClaim(input.owner, guestName({ ...input, epoch: input.offer.epoch }));
      case 'AckSeen':
        return takeAck(input);
      case 'LeaseSeen':
        return takeLease(input);
      case 'LinkChanged':
        if (input.online) greet(() => true);
        return;
      case 'MemberBorn':
        return greet((guest) => guest.owner === input.node);
      case 'GuestFact':
        // Described too late, after the guest was released: what was shared of it is taken back.
        if (!ledger.feed(input.guest, input.fact) && input.fact.type === 'Collected') {
          parts.perform(`guest/${input.guest}`, [{ type: 'RemoveGuest', guest: input.guest, files: true }]);
        }
        return;
      default:
    }
  }

  function greet(isMeant: (guest: Guest) => boolean): void {
    const meant = [...ledger.states].filter(([, guest]) => isMeant(guest));
    for (const [name] of meant) ledger.feed(name, { type: 'OwnerReturned' });
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

  function openProcess(item: Item): void {
    if (item.process === undefined) return;
    const name = guestName({ owner: parts.rules().self, item: item.item, epoch: FOUND_EPOCH });
    if (ledger.states.has(name)) return;
    ledger.open(name, takeProcess(item, item.process, FOUND_EPOCH, instantOf(parts.clock), parts.rules()));
  }

  function numberClaim(): number {
    claims += 1;
    return parts.rules().renewalBase + claims;
  }

  function terms(): { readonly projectedRatio: number; readonly slotsFree: number } {
    const state = parts.state();
    return { projectedRatio: state?.projected_ratio ?? 0, slotsFree: state?.slots_free ?? 0 };
  }

  /** A claim is said again only by a node that would make it again. */
  function repeatClaim(owner: string, name: string): void {
    const guest = ledger.states.get(name);
    if (guest?.phase !== 'claimed' || parts.obstacle(owner, guest) !== undefined) return;
    const trit = parts.state()?.trit;
    const receives = trit === -1 || (trit === 0 && owner === parts.rules().self);
    if (receives) ledger.feed(name, { type: 'OfferRepeated', ...terms() });
  }

  function takeAck({ owner, item, ack, path }: Extract<NodeInput, { type: 'AckSeen' }>): void {
    const { self } = parts.rules();
    const name = guestName({ owner, item, epoch: ack.epoch });
    const guest = ledger.states.get(name);
    // What is on its way here already was accepted.
    const obstacle = parts.obstacle(owner, guest?.phase === 'claimed' ? guest : undefined);
    if (ledger.feed(name, { type: 'AckHeard', ack, obstacle, path }) || ack.to !== self) return;
    refuseStray({ owner, item, epoch: ack.epoch, path }, 'its claim was given up before the ack came');
  }

  /** An order for an epoch that is not here overtook its ack, or the ack was lost: the owner need not wait for the lease. */
  function takeLease({ owner, item, lease, number, path }: Extract<NodeInput, { type: 'LeaseSeen' }>): void {
    const { self } = parts.rules();
    const name = guestName({ owner, item, epoch: lease.epoch });
    const known = ledger.feed(name, { type: 'LeaseHeard', lease, number, path });
    // Of a `continue` nothing is said: the copy may run somewhere below a guardian that this node forgot.
    if (!known && ASKS.has(lease.order) && lease.to === self)
      refuseStray({ owner, item, epoch: lease.epoch, path }, 'it never heard the ack');
  }

  /** Says so once and remembers nothing: an owner that did not hear it asks again. */
  function refuseStray({ owner, item, epoch, path }: Stray, reason: string): void {
    const { self } = parts.rules();
    const result: Result = { ...NOTHING_RAN, epoch, reason };
    const way = path === 'direct' ? { to: owner, urls: [], only: true } : undefined;
    parts.perform(`guest/${guestName({ owner, item, epoch })}`, [
      say({ kind: 'result', owner, item, node: self }, result, way),
    ]);
  }

  return { ledger, rules: parts.rules, take };
}

/** An epoch that is not here, and how it was heard of. */
interface Stray {
  readonly owner: string;
  readonly item: string;
  readonly epoch: number;
  readonly path: 'direct' | undefined;
}

/** Orders that ask a holder to do something. */
const ASKS: ReadonlySet<Lease['order']> = new Set(['cancel', 'vacate', 'checkpoint', 'resume']);

/** The result of an epoch that was never started here. */
const NOTHING_RAN: Omit<Result, 'epoch' | 'reason'> = {
  outcome: 'refused',
  exit_code: null,
  signal: null,
  started_at: null,
  run_ms: 0,
  cpu_s: 0,
  outputs_count: 0,
  outputs_bytes: 0,
  urls: [],
};
