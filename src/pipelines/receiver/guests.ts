/**
 * The receiver stage: passes inputs about guests to each guest's state machine. Acks and leases name an item and an
 * epoch, and go to the guest of that epoch; an ack for a claim that was given up is refused, so its owner need not
 * wait.
 */
import type { Clock } from '../../clock/clock.js';
import { publish, type Effect } from '../../core/effects.js';
import type { MeshRules } from '../../core/mesh/member.js';
import { findTritObstacle } from '../../core/mesh/ranking.js';
import { EXTERNAL_EPOCH } from '../../core/owner/owned-item.js';
import { claimOffer } from '../../core/receiver/claim.js';
import type { Guest, ReceiverRules } from '../../core/receiver/guest.js';
import { guestName } from '../../core/receiver/guest-name.js';
import type { GuestInput } from '../../core/receiver/inputs.js';
import { nextGuestTimerAt, stepReceiver } from '../../core/receiver/step.js';
import { takeExternalProcess } from '../../core/receiver/external.js';
import type { Item } from '../../protocol/item.js';
import { explain, type Reason } from '../../protocol/reasons.js';
import type { State } from '../../protocol/messages.js';
import type { Lease, Result } from '../../protocol/work-messages.js';
import type { NodeInput } from '../inputs.js';
import { createStateMachines, instantOf, type StateMachines } from '../state-machines.js';

/** What the stage needs. */
export interface GuestsDeps {
  readonly clock: Clock;
  /** Where the guests are kept; starts empty. */
  readonly states: Map<string, Guest>;
  rules(): ReceiverRules;
  mesh(): MeshRules;
  /** This node's own state; `undefined` before the first sample. */
  state(): State | undefined;
  /** Why an acked item of this owner cannot be accepted after all. */
  obstacle(owner: string, guest?: Guest): Reason | undefined;
  perform(subject: string, effects: readonly Effect[]): void;
  changed(before: Guest | undefined, after: Guest | undefined): void;
}

/** The guests of this node. */
export interface Guests {
  readonly machines: StateMachines<Guest, GuestInput>;
  rules(): ReceiverRules;
  handle(input: NodeInput): void;
}

/** Creates the receiver stage. */
export function createGuests(deps: GuestsDeps): Guests {
  const machines = createStateMachines<Guest, GuestInput>({
    states: deps.states,
    clock: deps.clock,
    step: (state, input, at) => stepReceiver(state, input, at, deps.rules()),
    nextTimerAt: (state) => nextGuestTimerAt(state, deps.rules()),
    timePassed: { type: 'TimePassed' },
    perform: (name, effects) => deps.perform(`guest/${name}`, effects),
    changed: (_name, before, after) => deps.changed(before, after),
  });

  let claims = 0;

  function handle(input: NodeInput): void {
    switch (input.type) {
      case 'ItemSubmitted':
        return openProcess(input.item);
      case 'ClaimChosen':
        return openClaim(input.claim);
      case 'OfferHeard':
        return repeatClaim(input);
      case 'AckHeard':
        return handleAck(input);
      case 'LeaseHeard':
        return handleLease(input);
      case 'LinkChanged':
        if (input.online) reportOwnerReturn(() => true);
        return;
      case 'MemberBorn':
        return reportOwnerReturn((guest) => guest.owner === input.node);
      case 'GuestInput':
        // The outputs were collected too late, after the guest was released: their share and files are removed.
        if (!machines.feed(input.guest, input.input) && input.input.type === 'Collected') {
          deps.perform(`guest/${input.guest}`, [{ type: 'RemoveGuest', guest: input.guest, files: true }]);
        }
        return;
      default:
    }
  }

  function reportOwnerReturn(isMeant: (guest: Guest) => boolean): void {
    const meant = [...machines.states].filter(([, guest]) => isMeant(guest));
    for (const [name] of meant) machines.feed(name, { type: 'OwnerReturned' });
  }

  function openClaim({ standing, rank }: Extract<NodeInput, { type: 'ClaimChosen' }>['claim']): void {
    const { owner, item, offer } = standing;
    const name = guestName({ owner, item, epoch: offer.epoch });
    if (machines.states.has(name)) return;
    machines.open(
      name,
      claimOffer(
        { owner, item, offer, rank, renewal: nextRenewal(), ...capacity() },
        instantOf(deps.clock),
        deps.rules(),
      ),
    );
  }

  function openProcess(item: Item): void {
    if (item.process === undefined) return;
    const name = guestName({ owner: deps.rules().self, item: item.id, epoch: EXTERNAL_EPOCH });
    if (machines.states.has(name)) return;
    machines.open(name, takeExternalProcess(item, item.process, EXTERNAL_EPOCH, instantOf(deps.clock), deps.rules()));
  }

  function nextRenewal(): number {
    claims += 1;
    return deps.rules().renewalBase + claims;
  }

  function capacity(): { readonly projectedRatio: number; readonly slotsFree: number } {
    const state = deps.state();
    return { projectedRatio: state?.projected_ratio ?? 0, slotsFree: state?.slots_free ?? 0 };
  }

  /** A node repeats a claim only if it would make it again. */
  function repeatClaim({ owner, item, offer }: Extract<NodeInput, { type: 'OfferHeard' }>): void {
    const name = guestName({ owner, item, epoch: offer.epoch });
    const guest = machines.states.get(name);
    const state = deps.state();
    if (guest?.phase !== 'claimed' || state === undefined || deps.obstacle(owner, guest) !== undefined) return;
    const isOwn = owner === deps.rules().self && !offer.deferred;
    if (findTritObstacle(state, isOwn, deps.mesh()) === undefined)
      machines.feed(name, { type: 'OfferRepeated', ...capacity() });
  }

  function handleAck({ owner, item, ack, path }: Extract<NodeInput, { type: 'AckHeard' }>): void {
    const { self } = deps.rules();
    const name = guestName({ owner, item, epoch: ack.epoch });
    const guest = machines.states.get(name);
    // A guest past its claim was already accepted.
    const obstacle = deps.obstacle(owner, guest?.phase === 'claimed' ? guest : undefined);
    if (machines.feed(name, { type: 'AckHeard', ack, obstacle, path }) || ack.to !== self) return;
    refuseStray({ owner, item, epoch: ack.epoch, path }, explain('claim-given-up'));
  }

  /**
   * An order for an unknown epoch overtook its ack, or the ack was lost: the owner need not wait for the lease to end.
   */
  function handleLease({ owner, item, lease, number, path }: Extract<NodeInput, { type: 'LeaseHeard' }>): void {
    const { self } = deps.rules();
    const name = guestName({ owner, item, epoch: lease.epoch });
    const known = machines.feed(name, { type: 'LeaseHeard', lease, number, path });
    // A `continue` is not answered: the copy may be running below a watchdog that this node has forgotten.
    if (!known && ANSWERED_ORDERS.has(lease.order) && lease.to === self)
      refuseStray({ owner, item, epoch: lease.epoch, path }, explain('ack-not-heard'));
  }

  /** Answers once and remembers nothing: an owner that did not hear it asks again. */
  function refuseStray({ owner, item, epoch, path }: Stray, reason: Reason): void {
    const { self } = deps.rules();
    const result: Result = { ...NOTHING_RAN, epoch, reason: reason.text, code: reason.code };
    const way = path === 'direct' ? { to: owner, urls: [], only: true } : undefined;
    deps.perform(`guest/${guestName({ owner, item, epoch })}`, [
      publish({ kind: 'result', owner, item, node: self }, result, way),
    ]);
  }

  return { machines, rules: deps.rules, handle };
}

/** An epoch that is not known here, and the path by which it was heard of. */
interface Stray {
  readonly owner: string;
  readonly item: string;
  readonly epoch: number;
  readonly path: 'direct' | undefined;
}

/** Orders that ask a receiver to do something. */
const ANSWERED_ORDERS: ReadonlySet<Lease['order']> = new Set(['cancel', 'vacate', 'checkpoint', 'resume']);

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
