/**
 * The owner does not reach this node, and asks for the outputs to be brought. They are brought as often as it asks, one push at a time; what
 * is in its way here is told with the result.
 */
import { clip } from '../../protocol/clip.js';
import type { Lease } from '../../protocol/work-messages.js';
import type { Instant, Step } from '../effects.js';
import { guestName, type Guest, type ReceiverRules } from './guest.js';
import { renewLease } from './renew.js';
import { passResult } from './result.js';

/** Hears whether outputs are to be brought. Whoever asks is waiting for them: they are kept as from now. */
export function hearPushAsk(guest: Guest, lease: Lease, at: Instant): Step<Guest> {
  const isReady = (guest.phase === 'ended' || guest.phase === 'frozen') && (guest.result?.outputs_count ?? 0) > 0;
  if (lease.push_to === undefined || !isReady) return { state: guest, effects: [] };
  const kept = { ...guest, endedMs: at.ms };
  if (guest.pushing === true) return { state: kept, effects: [] };
  const push = { type: 'PushOutputs', guest: guestName(guest), urls: lease.push_to } as const;
  return { state: { ...kept, pushing: true }, effects: [push] };
}

/** The push is over. Why it failed is said at once: the owner may be waiting for nothing. */
export function takePush(guest: Guest, fault: string | undefined, at: Instant, rules: ReceiverRules): Step<Guest> {
  const { pushing: _pushing, ...rest } = guest;
  const isReady = guest.phase === 'ended' || guest.phase === 'frozen';
  if (!isReady || guest.result === null) return { state: rest, effects: [] };
  const { unreached: _unreached, ...result } = guest.result;
  if (fault === undefined) return { state: { ...rest, result }, effects: [] };
  return passResult({ ...rest, result: { ...result, unreached: clip(fault) } }, at, rules);
}

/** No address of the owner took a connection: it is asked to bring the inputs. */
export function askForInputs(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  return guest.phase === 'fetching'
    ? renewLease({ ...guest, unreached: true }, at, rules)
    : { state: guest, effects: [] };
}
