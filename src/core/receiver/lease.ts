/**
 * The lease, as the receiver keeps it. Renewals are numbered. The lease is counted from the *sending* of the last
 * renewal that the owner answered, so it ends here before the owner can assume that it has ended.
 */
import { explain } from '../../protocol/reasons.js';
import type { Lease } from '../../protocol/work-messages.js';
import type { Effect, Instant, Step } from '../effects.js';
import { handleCheckpoint, handleContinue, handleResume } from './freeze.js';
import { forgetGuest, hasProcesses, isLive, type Guest, type OrderNumber, type ReceiverRules } from './guest.js';
import { guestName } from './guest-name.js';
import type { GuestInput } from './inputs.js';
import { handlePushRequest } from './push.js';
import { renewLease } from './renew.js';
import { endGuest, refuseGuest } from './result.js';
import { canVacate, stopRun } from './stop.js';

/** Handles an order, unless a later one was obeyed already: messages on two paths overtake each other. */
export function handleLease(
  guest: Guest,
  { lease, number, path }: Extract<GuestInput, { type: 'LeaseHeard' }>,
  at: Instant,
  rules: ReceiverRules,
): Step<Guest | null> {
  if (lease.to !== rules.self || lease.epoch !== guest.epoch) return { state: guest, effects: [] };
  if (number === undefined) return applyLease(guest, lease, at, rules);
  if (isOvertaken(number, guest.ordered)) return { state: guest, effects: [] };
  const answers = guest.sent.find((one) => one.renewal === lease.renewal);
  const reached = guest.reached || (path === 'direct' && answers?.path === 'direct');
  return applyLease({ ...guest, ordered: number, reached }, lease, at, rules);
}

function isOvertaken(number: OrderNumber, last: OrderNumber | null): boolean {
  if (last === null) return false;
  return number.boot < last.boot || (number.boot === last.boot && number.seq < last.seq);
}

function applyLease(guest: Guest, lease: Lease, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  switch (lease.order) {
    case 'hold':
      // The owner has received the refusal.
      return hold(guest.refused === null ? guest : { ...guest, refused: null }, lease, at, rules);
    case 'cancel':
      return obeyStop(guest, 'cancel', at, rules);
    case 'vacate':
    case 'checkpoint':
    case 'resume':
    case 'continue': {
      const extended = extendLease(guest, lease.renewal, at, rules);
      const obeyed = obey(extended.state, lease, at, rules);
      return { state: obeyed.state, effects: [...extended.effects, ...obeyed.effects] };
    }
    case 'settled':
    case 'gone':
      return handleRelease(guest, at, rules);
  }
}

function hold(guest: Guest, lease: Lease, at: Instant, rules: ReceiverRules): Step<Guest> {
  const extended = extendLease(guest, lease.renewal, at, rules);
  const pushed = handlePushRequest(extended.state, lease, at);
  return { state: pushed.state, effects: [...extended.effects, ...pushed.effects] };
}

function obey(guest: Guest, lease: Lease, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  const move = lease.move ?? 0;
  if (lease.order === 'checkpoint') return handleCheckpoint(guest, move, at, rules);
  if (lease.order === 'resume') return handleResume(guest, move, at, rules);
  return lease.order === 'continue' ? handleContinue(guest, at, rules) : obeyStop(guest, 'vacate', at, rules);
}

function extendLease(guest: Guest, renewal: number, at: Instant, rules: ReceiverRules): Step<Guest> {
  const sent = guest.sent.find((one) => one.renewal === renewal);
  if (sent === undefined || sent.at + guest.leaseMs <= guest.leaseEndsAt) return { state: guest, effects: [] };
  // A lease that has ended stays ended: the run is being stopped, and a late answer must not revive it.
  if (at.ms >= guest.leaseEndsAt || guest.stopping === 'lease') return { state: guest, effects: [] };
  const next: Guest = { ...guest, leaseEndsAt: sent.at + guest.leaseMs };
  if (!hasProcesses(guest)) return { state: next, effects: [] };
  const guardAt = next.leaseEndsAt + rules.leaseGraceMs;
  return { state: next, effects: [{ type: 'ExtendRun', guest: guestName(guest), guardAt }] };
}

function obeyStop(guest: Guest, cause: 'cancel' | 'vacate', at: Instant, rules: ReceiverRules): Step<Guest | null> {
  switch (guest.phase) {
    // The order overtook its ack, or the ack was lost: nothing was started, and nothing will be.
    case 'claimed':
      return refuseGuest(guest, explain('ack-not-heard'), at, rules);
    case 'fetching':
      return cause === 'cancel'
        ? endGuest(guest, { outcome: 'cancelled', reason: 'cancelled before it started' }, at, rules)
        : endGuest(guest, { outcome: 'refused', reason: 'asked to move before it started' }, at, rules);
    case 'starting':
    case 'running':
      return cause === 'vacate' && !canVacate(guest)
        ? { state: guest, effects: [] }
        : stopRun(guest, cause, cause === 'cancel' ? 'cancelled by its owner' : 'asked to move', rules.graceMs);
    // A stopped process cannot exit on request, so it gets no grace period.
    case 'freezing':
    case 'frozen':
    case 'prepared':
    case 'thawing':
      return cause === 'cancel' ? stopRun(guest, 'cancel', 'cancelled by its owner', 0) : { state: guest, effects: [] };
    case 'collecting':
      return { state: guest, effects: [] };
    case 'ended':
      return { state: { ...guest, repeatAt: at.ms }, effects: [] };
  }
}

function handleRelease(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (guest.phase === 'claimed') return { state: null, effects: [] };
  if (!isLive(guest) || guest.phase === 'fetching') return { state: null, effects: forgetGuest(guest) };
  // An external process that has not moved must not be ended.
  if (guest.process !== null && guest.phase === 'running') return { state: null, effects: releaseProcess(guest) };
  return stopRun(guest, 'gone', `released by its owner at ${at.ts}`, rules.leaseGraceMs);
}

function releaseProcess(guest: Guest): Effect[] {
  return [{ type: 'StopRun', guest: guestName(guest), graceMs: 0, asks: false }, ...forgetGuest(guest)];
}

/** Time passed while the item is fetched or runs. */
export function expireLeaseOfGuest(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (at.ms >= guest.leaseEndsAt && guest.phase === 'fetching') {
    return endGuest(guest, { outcome: 'refused', reason: 'its lease ended before it started' }, at, rules);
  }
  // An external process is owned by this node: no other node can have it, however long the broker is away.
  const live = hasProcesses(guest) && guest.process === null;
  if (live && at.ms >= guest.leaseEndsAt && isGentle(guest)) {
    return stopRun(guest, 'lease', 'its lease ended: the owner did not answer', rules.leaseGraceMs);
  }
  const runs = guest.phase === 'running' || guest.phase === 'starting';
  if (runs && guest.stopping === null && at.ms >= wallEnd(guest)) {
    return stopRun(guest, 'wall', `its wall-clock limit of ${guest.command?.wall_ms ?? 0} ms ended`, rules.graceMs);
  }
  return at.ms >= guest.renewAt ? renewLease(guest, at, rules) : { state: guest, effects: [] };
}

/** Whether the end of the lease must override the present stop, if there is one. */
function isGentle(guest: Guest): boolean {
  return (
    guest.stopping === null ||
    guest.stopping === 'vacate' ||
    guest.stopping === 'cancel' ||
    guest.stopping === 'wall' ||
    guest.stopping === 'output'
  );
}

/** When the wall-clock limit is reached, monotonic ms. */
export function wallEnd(guest: Guest): number {
  const wallMs = guest.command?.wall_ms;
  return wallMs === undefined ? Number.POSITIVE_INFINITY : guest.startedMs + wallMs;
}
