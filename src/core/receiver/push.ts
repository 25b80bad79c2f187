/**
 * Pushes outputs to an owner that cannot reach this node and asks for them. They are pushed as often as it asks, one
 * push at a time; why a push failed is reported with the result. Also asks the owner to push inputs.
 */
import { clip } from '../../protocol/clip.js';
import type { Lease } from '../../protocol/work-messages.js';
import type { Instant, Step } from '../effects.js';
import type { Guest, ReceiverRules } from './guest.js';
import { guestName } from './guest-name.js';
import { renewLease } from './renew.js';
import { republishResult } from './result.js';

/** Starts a push if the owner asks for it. An owner that asks still waits, so the outputs are kept for longer. */
export function handlePushRequest(guest: Guest, lease: Lease, at: Instant): Step<Guest> {
  const isReady = (guest.phase === 'ended' || guest.phase === 'frozen') && (guest.result?.outputs_count ?? 0) > 0;
  if (lease.push_to === undefined || !isReady) return { state: guest, effects: [] };
  const kept = { ...guest, endedMs: at.ms };
  if (guest.pushing === true) return { state: kept, effects: [] };
  const push = { type: 'PushOutputs', guest: guestName(guest), urls: lease.push_to } as const;
  return { state: { ...kept, pushing: true }, effects: [push] };
}

/** The push is over. A failure is published immediately, because the owner waits for the push. */
export function handlePushEnd(guest: Guest, fault: string | undefined, at: Instant, rules: ReceiverRules): Step<Guest> {
  const { pushing: _pushing, ...rest } = guest;
  const isReady = guest.phase === 'ended' || guest.phase === 'frozen';
  if (!isReady || guest.result === null) return { state: rest, effects: [] };
  const { unreached: _unreached, ...result } = guest.result;
  if (fault === undefined) return { state: { ...rest, result }, effects: [] };
  return republishResult({ ...rest, result: { ...result, unreached: clip(fault) } }, at, rules);
}

/** No address of the owner accepted a connection: it is asked to push the inputs. */
export function askForInputs(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  return guest.phase === 'fetching'
    ? renewLease({ ...guest, unreached: true }, at, rules)
    : { state: guest, effects: [] };
}
