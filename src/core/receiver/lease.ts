/**
 * The lease, as the receiver keeps it. Renewals are numbered; the lease ends a lease's length after the *sending* of the
 * last renewal that the owner answered, so it ends here before the owner can believe that it has ended.
 */
import type { Lease, Progress } from '../../protocol/messages.js';
import type { Instant, Step } from '../effects.js';
import { say } from '../effects.js';
import { forgetGuest, guestName, isLive, type Guest, type ReceiverRules } from './guest.js';
import { endGuest } from './result.js';
import { canVacate, stopRun } from './stop.js';

/** Answers to renewals older than this many are no longer matched. */
const SENT_MAX = 8;

/** Says progress with the next renewal number. */
export function renewLease(
  guest: Guest,
  at: Instant,
  rules: ReceiverRules,
  bytes?: { readonly bytes: number; readonly total: number },
): Step<Guest> {
  const renewal = guest.renewal + 1;
  const next: Guest = {
    ...guest,
    renewal,
    sent: [...guest.sent, { renewal, at: at.ms }].slice(-SENT_MAX),
    renewAt: at.ms + guest.leaseMs / (wasAnswered(guest) ? 3 : 12),
  };
  const topic = { kind: 'progress', owner: guest.owner, item: guest.item, node: rules.self } as const;
  const advance = bytes === undefined ? {} : { bytes: bytes.bytes, bytes_total: bytes.total };
  return { state: next, effects: [say(topic, { epoch: guest.epoch, phase: shownPhase(guest), renewal, ...advance })] };
}

/** Whether the last renewal extended the lease. One that was lost must not cost a third of a lease: the next follows soon. */
function wasAnswered(guest: Guest): boolean {
  const last = guest.sent.at(-1);
  return last === undefined || last.at + guest.leaseMs <= guest.leaseEndsAt;
}

function shownPhase(guest: Guest): Progress['phase'] {
  if (guest.phase === 'fetching' || guest.phase === 'starting') return guest.phase;
  return guest.stopping === null && guest.phase === 'running' ? 'running' : 'stopping';
}

/** Hears what the owner wants. */
export function hearLease(guest: Guest, lease: Lease, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (lease.to !== rules.self || lease.epoch !== guest.epoch) return { state: guest, effects: [] };
  switch (lease.order) {
    case 'hold':
      return extendLease(guest, lease.renewal, at, rules);
    case 'cancel':
      return obeyStop(guest, 'cancel', at, rules);
    case 'vacate': {
      const extended = extendLease(guest, lease.renewal, at, rules);
      const obeyed = obeyStop(extended.state, 'vacate', at, rules);
      return { state: obeyed.state, effects: [...extended.effects, ...obeyed.effects] };
    }
    case 'settled':
    case 'gone':
      return beReleased(guest, at, rules);
  }
}

function extendLease(guest: Guest, renewal: number, at: Instant, rules: ReceiverRules): Step<Guest> {
  const sent = guest.sent.find((one) => one.renewal === renewal);
  if (sent === undefined || sent.at + guest.leaseMs <= guest.leaseEndsAt) return { state: guest, effects: [] };
  // A lease that ended stays ended: the run is being stopped, and an answer that came too late must not revive it.
  if (at.ms >= guest.leaseEndsAt || guest.stopping === 'lease') return { state: guest, effects: [] };
  const next: Guest = { ...guest, leaseEndsAt: sent.at + guest.leaseMs };
  if (guest.phase !== 'running' && guest.phase !== 'starting') return { state: next, effects: [] };
  const guardAt = next.leaseEndsAt + rules.leaseGraceMs;
  return { state: next, effects: [{ type: 'ExtendRun', guest: guestName(guest), guardAt }] };
}

function obeyStop(guest: Guest, cause: 'cancel' | 'vacate', at: Instant, rules: ReceiverRules): Step<Guest | null> {
  switch (guest.phase) {
    // The order overtook its ack, or the ack was lost: nothing started, and nothing will.
    case 'claimed':
      return endGuest(guest, { outcome: 'refused', reason: 'it never heard the ack' }, at, rules);
    case 'fetching':
      return cause === 'cancel'
        ? endGuest(guest, { outcome: 'cancelled', reason: 'cancelled before it started' }, at, rules)
        : endGuest(guest, { outcome: 'refused', reason: 'asked to move before it started' }, at, rules);
    case 'starting':
    case 'running':
      return cause === 'vacate' && !canVacate(guest)
        ? { state: guest, effects: [] }
        : stopRun(guest, cause, cause === 'cancel' ? 'cancelled by its owner' : 'asked to move', rules.graceMs);
    case 'collecting':
      return { state: guest, effects: [] };
    case 'ended':
      return { state: { ...guest, repeatAt: at.ms }, effects: [] };
  }
}

function beReleased(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (guest.phase === 'claimed') return { state: null, effects: [] };
  if (!isLive(guest) || guest.phase === 'fetching') return { state: null, effects: forgetGuest(guest) };
  return stopRun(guest, 'gone', `released by its owner at ${at.ts}`, rules.leaseGraceMs);
}

/** Time passed while the item is fetched or runs. */
export function passLease(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (at.ms >= guest.leaseEndsAt && guest.phase === 'fetching') {
    return endGuest(guest, { outcome: 'refused', reason: 'its lease ended before it started' }, at, rules);
  }
  const live = guest.phase === 'running' || guest.phase === 'starting';
  if (live && at.ms >= guest.leaseEndsAt && isGentle(guest)) {
    return stopRun(guest, 'lease', 'its lease ended: the owner did not answer', rules.leaseGraceMs);
  }
  if (live && guest.stopping === null && at.ms >= wallEnd(guest)) {
    return stopRun(guest, 'wall', `its wall-clock limit of ${guest.command?.wall_ms ?? 0} ms ended`, rules.graceMs);
  }
  return at.ms >= guest.renewAt ? renewLease(guest, at, rules) : { state: guest, effects: [] };
}

/** Whether the present stop, if any, is one that a lease's end must overrule. */
function isGentle(guest: Guest): boolean {
  return (
    guest.stopping === null || guest.stopping === 'vacate' || guest.stopping === 'cancel' || guest.stopping === 'wall'
  );
}

/** When the wall-clock limit ends, monotonic ms. */
export function wallEnd(guest: Guest): number {
  const wallMs = guest.command?.wall_ms;
  return wallMs === undefined ? Number.POSITIVE_INFINITY : guest.startedMs + wallMs;
}
