/**
 * Handles the ack: the receiver accepts the item, journals it, and fetches or starts it; or it refuses. Nothing is
 * fetched or started BEFORE the journal has it.
 */
import type { Command } from '../../protocol/item.js';
import { explain, type Reason } from '../../protocol/reasons.js';
import type { Ack } from '../../protocol/work-messages.js';
import type { Effect, Instant, Step } from '../effects.js';
import { persistGuest, type Guest, type ReceiverRules } from './guest.js';
import { guestName } from './guest-name.js';
import { renewBy, renewLease } from './renew.js';
import { endGuest, refuseGuest } from './result.js';

/** Handles an ack. `obstacle` is why this node cannot take the item after all. */
export function handleAck(
  guest: Guest,
  ack: Ack,
  obstacle: Reason | undefined,
  at: Instant,
  rules: ReceiverRules,
  path: 'bus' | 'direct' = 'bus',
): Step<Guest | null> {
  if (ack.to !== rules.self)
    return guest.phase === 'claimed' ? { state: null, effects: [] } : { state: guest, effects: [] };
  // The owner repeats the ack because it has not heard from this node yet.
  if (guest.phase !== 'claimed') return repeatProgress(guest, path, at, rules);
  const fault = obstacle ?? findAckFault(guest, ack, at);
  if (fault !== undefined) return refuseGuest(guest, fault, at, rules);
  return accept(guest, ack, at, rules);
}

function findAckFault(guest: Guest, ack: Ack, at: Instant): Reason | undefined {
  // The lease counts from the claim that the owner acked. That one was forgotten here, and with it when it was sent.
  if (ack.renewal !== guest.claimRenewal) return explain('earlier-claim');
  if (at.ms >= guest.claimedAt + ack.lease_ms) return explain('lease-over');
  if (ack.transport === 'none' && ack.command === undefined)
    return explain('ack-incomplete', 'carries neither a command nor a transport');
  if (ack.image === true && ack.transport === 'none')
    return explain('ack-incomplete', 'names an image but no transport');
  if (ack.transport === 'https' && ack.manifest_sha256 === undefined)
    return explain('ack-incomplete', 'carries no manifest_sha256');
  return undefined;
}

function accept(guest: Guest, ack: Ack, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  const accepted: Guest = {
    ...guest,
    command: ack.command ?? null,
    leaseMs: ack.lease_ms,
    leaseEndsAt: guest.claimedAt + ack.lease_ms,
    renewAt: guest.claimedAt + ack.lease_ms / 3,
    urls: ack.urls,
    sha256: ack.manifest_sha256 ?? null,
    image: ack.image ?? false,
    direct: ack.direct === true,
    ...(ack.seal_key === undefined ? {} : { sealKey: ack.seal_key }),
  };
  if (ack.transport === 'none' && ack.command !== undefined) return beginRun(accepted, ack.command, at, rules);
  const fetching: Guest = { ...accepted, phase: 'fetching' };
  const renewed = renewLease(fetching, at, rules);
  const fetch: Effect = {
    type: 'FetchInputs',
    guest: guestName(guest),
    urls: ack.urls,
    sha256: ack.manifest_sha256 ?? '',
    image: accepted.image,
  };
  return { state: renewed.state, effects: [persistGuest(fetching), ...renewed.effects, fetch] };
}

/** Starts the command, after the journal has recorded that it may have been started. */
export function beginRun(guest: Guest, command: Command, at: Instant, rules: ReceiverRules): Step<Guest> {
  const starting: Guest = { ...guest, phase: 'starting', command, startedMs: at.ms, startedAt: at.ts };
  return {
    state: starting,
    effects: [
      persistGuest(starting),
      {
        type: 'StartRun',
        guest: guestName(guest),
        command,
        leaseEndsAt: guest.leaseEndsAt,
        guardAt: guest.leaseEndsAt + rules.leaseGraceMs,
        image: guest.image,
      },
    ],
  };
}

/** The inputs were fetched and verified. */
export function handleInputs(
  guest: Guest,
  command: Command | undefined,
  at: Instant,
  rules: ReceiverRules,
): Step<Guest | null> {
  if (guest.phase !== 'fetching') return { state: guest, effects: [] };
  const known = command ?? guest.command;
  if (known === null)
    return endGuest(guest, { outcome: 'refused', reason: 'its manifest carries no command' }, at, rules);
  return beginRun(guest, known, at, rules);
}

function repeatProgress(guest: Guest, path: 'bus' | 'direct', at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase === 'ended') return { state: { ...guest, repeatAt: at.ms }, effects: [] };
  if (guest.phase === 'collecting' || guest.phase === 'starting') return { state: guest, effects: [] };
  // An owner that called over the direct path waits for the answer on it.
  return path === 'direct' ? renewBy(guest, ['direct'], at, rules) : renewLease(guest, at, rules);
}
