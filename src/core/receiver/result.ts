/**
 * The epoch is over here: its result is said, and said again with growing pauses, until the owner has settled it. Only
 * then, or when nobody has asked for it for a very long time, it is forgotten.
 */
import { clip } from '../../protocol/clip.js';
import type { Result } from '../../protocol/work-messages.js';
import type { Effect, Instant, Step } from '../effects.js';
import { say } from '../effects.js';
import { forgetGuest, type Guest, type ReceiverRules } from './guest.js';
import { answerMs, hasDirect, wayToOwner } from './renew.js';

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
  return { state: ended, effects: sayResult(ended, at, rules) };
}

/** Says the result that the guest holds, if any; by the direct path, too, once the bus was given its time. */
export function sayResult(guest: Guest, at: Instant, rules: ReceiverRules): Effect[] {
  if (guest.result === null) return [];
  const topic = { kind: 'result', owner: guest.owner, item: guest.item, node: rules.self } as const;
  const isLate = rules.isAlone === true || at.ms >= guest.endedMs + answerMs(guest);
  return [say(topic, guest.result, hasDirect(guest, rules) && isLate ? wayToOwner(guest, false) : undefined)];
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
  return { state: next, effects: sayResult(guest, at, rules) };
}

/** A whole result from what is known of it. Faults of peers and systems may be of any length. */
export function fillResult(guest: Guest, known: Partial<Result>, rules: ReceiverRules): Result {
  const result: Result = {
    epoch: guest.epoch,
    outcome: 'died',
    exit_code: null,
    signal: null,
    reason: '',
    started_at: guest.startedAt,
    run_ms: 0,
    cpu_s: 0,
    outputs_count: 0,
    outputs_bytes: 0,
    urls: rules.urls,
    ...known,
  };
  return { ...result, reason: clip(result.reason) };
}
