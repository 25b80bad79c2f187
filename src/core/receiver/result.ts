/**
 * The epoch is over here: its result is said, and said again with growing pauses, until the owner has settled it. Only
 * then, or when nobody has asked for it for a very long time, it is forgotten.
 */
import type { Result } from '../../protocol/work-messages.js';
import type { Effect, Instant, Step } from '../effects.js';
import { say } from '../effects.js';
import { fillResult, forgetGuest, type Guest, type ReceiverRules } from './guest.js';

/** Ends the guest with a result. */
export function endGuest(guest: Guest, known: Partial<Result>, at: Instant, rules: ReceiverRules): Step<Guest> {
  const ended: Guest = {
    ...guest,
    phase: 'ended',
    result: fillResult(guest, known, rules),
    repeatAt: at.ms + rules.repeatMs,
    repeatMs: rules.repeatMs * 2,
    endedMs: at.ms,
  };
  return { state: ended, effects: sayResult(ended, rules) };
}

/** Says the result that the guest holds, if any. */
export function sayResult(guest: Guest, rules: ReceiverRules): Effect[] {
  if (guest.result === null) return [];
  return [say({ kind: 'result', owner: guest.owner, item: guest.item, node: rules.self }, guest.result)];
}

/** Time passed since the end. */
export function passEnded(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (at.ms >= guest.endedMs + rules.keepMs) return { state: null, effects: forgetGuest(guest) };
  return at.ms < guest.repeatAt ? { state: guest, effects: [] } : passResult(guest, at, rules);
}

/** Says the result once more, and the next time after a longer pause. */
export function passResult(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  const next = {
    ...guest,
    repeatAt: at.ms + guest.repeatMs,
    repeatMs: Math.min(guest.repeatMs * 2, rules.repeatMaxMs),
  };
  return { state: next, effects: sayResult(guest, rules) };
}
