/**
 * The ack arrives: the receiver accepts the item, journals it, and fetches or starts it; or it refuses. Nothing is
 * fetched or started BEFORE the journal has it.
 */
import type { Command } from '../../protocol/item.js';
import type { Ack } from '../../protocol/work-messages.js';
import type { Effect, Instant, Step } from '../effects.js';
import { guestName, persistGuest, type Guest, type ReceiverRules } from './guest.js';
import { renewBy, renewLease } from './renew.js';
import { endGuest } from './result.js';

/** Hears the ack that names this node. `obstacle` is why it cannot take the item after all. */
export function hearAck(
  guest: Guest,
  ack: Ack,
  obstacle: string | undefined,
  at: Instant,
  rules: ReceiverRules,
  path: 'bus' | 'direct' = 'bus',
): Step<Guest | null> {
  if (ack.to !== rules.self)
    return guest.phase === 'claimed' ? { state: null, effects: [] } : { state: guest, effects: [] };
  // A repeat of the ack means that the owner has not heard from us yet.
  if (guest.phase !== 'claimed') return repeatItself(guest, path, at, rules);
  const fault = obstacle ?? findAckFault(guest, ack, at);
  if (fault !== undefined) return endGuest(guest, { outcome: 'refused', reason: fault }, at, rules);
  return accept(guest, ack, at, rules);
}

function findAckFault(guest: Guest, ack: Ack, at: Instant): string | undefined {
  // The owner's clock began with the claim it heard; that one was forgotten here, and with it when it was sent.
  if (ack.renewal !== guest.claimRenewal) return 'the ack answers an earlier claim';
  if (at.ms >= guest.claimedAt + ack.lease_ms) return 'the ack came when its lease was over';
  if (ack.transport === 'none' && ack.command === undefined) return 'the ack carries neither a command nor a transport';
  if (ack.image === true && ack.transport === 'none') return 'the ack names an image but no transport';
  if (ack.transport === 'https' && ack.manifest_sha256 === undefined) return 'the ack carries no manifest_sha256';
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

/** Starts the command; the journal knows first that it may have been started. */
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

/** The inputs are here and verified. */
export function takeInputs(
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

function repeatItself(guest: Guest, path: 'bus' | 'direct', at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase === 'ended') return { state: { ...guest, repeatAt: at.ms }, effects: [] };
  if (guest.phase === 'collecting' || guest.phase === 'starting') return { state: guest, effects: [] };
  // Who calls by the direct path waits for the answer on it.
  return path === 'direct' ? renewBy(guest, ['direct'], at, rules) : renewLease(guest, at, rules);
}
