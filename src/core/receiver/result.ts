/**
 * The epoch is over: its result is published, and repeated with growing pauses, until the owner has settled it. The
 * guest is forgotten only then, or when nobody has asked for it for a very long time.
 */
import { clip } from '../../protocol/clip.js';
import type { Reason } from '../../protocol/reasons.js';
import type { Result } from '../../protocol/work-messages.js';
import type { Effect, Instant, Step } from '../effects.js';
import { publish } from '../effects.js';
import { forgetGuest, type Guest, type ReceiverRules } from './guest.js';
import { answerMs, hasDirect, pathToOwner } from './renew.js';

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
  return { state: ended, effects: publishResult(ended, at, rules) };
}

/** The epoch never started here, for this reason. */
export function refuseGuest(guest: Guest, { code, text }: Reason, at: Instant, rules: ReceiverRules): Step<Guest> {
  return endGuest(guest, { outcome: 'refused', reason: text, code }, at, rules);
}

/** Publishes the result of the guest, if it has one; also on the direct path if the bus has not brought an answer. */
export function publishResult(guest: Guest, at: Instant, rules: ReceiverRules): Effect[] {
  if (guest.result === null) return [];
  const topic = { kind: 'result', owner: guest.owner, item: guest.item, node: rules.self } as const;
  const isLate = rules.isAlone === true || at.ms >= guest.endedMs + answerMs(guest);
  return [publish(topic, guest.result, hasDirect(guest, rules) && isLate ? pathToOwner(guest, false) : undefined)];
}

/** Time passed since the end. */
export function expireEnded(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (at.ms >= guest.endedMs + rules.keepMs) return { state: null, effects: forgetGuest(guest) };
  return at.ms < guest.repeatAt ? { state: guest, effects: [] } : republishResult(guest, at, rules);
}

/** Publishes the result again; the next time is after a longer pause. */
export function republishResult(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  const next = {
    ...guest,
    repeatAt: at.ms + guest.repeatMs,
    repeatMs: Math.min(guest.repeatMs * 2, rules.repeatMaxMs),
  };
  return { state: next, effects: publishResult(guest, at, rules) };
}

/** Completes a result with defaults. The reason is cut: errors of peers and systems may have any length. */
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
