/**
 * A guest is stopped to be moved as it is, and its image told of; or a copy is restored here and let run when the owner
 * says so. A stopped original goes on only by the owner's `resume` of the same move, a copy only by its `continue`.
 */
import { clip } from '../../protocol/clip.js';
import type { Effect, Instant, Step } from '../effects.js';
import { forgetGuest, guestName, persistGuest, type Guest, type ProcessHandle, type ReceiverRules } from './guest.js';
import { renewLease } from './renew.js';
import { endGuest, fillResult, sayResult } from './result.js';

/** The owner wants it frozen for its move number `move`. */
export function hearCheckpoint(guest: Guest, move: number, at: Instant, rules: ReceiverRules): Step<Guest> {
  // Its image is being told of, or it said already why not: said again, in case that was lost.
  if (guest.phase === 'frozen' && move === guest.move) return { state: { ...guest, repeatAt: at.ms }, effects: [] };
  if (guest.phase === 'running' && move === guest.move) return renewLease(guest, at, rules);
  if (guest.phase !== 'running' || guest.stopping !== null || move < guest.move) return { state: guest, effects: [] };
  const freezing: Guest = { ...guest, phase: 'freezing', move, refused: null, wish: null };
  const renewed = renewLease(freezing, at, rules);
  return {
    state: renewed.state,
    effects: [persistGuest(freezing), ...renewed.effects, { type: 'FreezeRun', guest: guestName(guest) }],
  };
}

/** It is stopped and its image is complete: journalled, then described. */
export function takeFrozen(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase !== 'freezing' || guest.stopping !== null) return { state: guest, effects: [] };
  const frozen: Guest = { ...guest, phase: 'frozen', result: null, repeatAt: Number.POSITIVE_INFINITY };
  const renewed = renewLease(frozen, at, rules);
  return { state: renewed.state, effects: [persistGuest(frozen), ...renewed.effects, describeImage(guest)] };
}

/** Describes the image with all of the guest's directory. */
export function describeImage(guest: Guest): Effect {
  return { type: 'Collect', guest: guestName(guest), globs: [], everything: true };
}

/** The image is described: it is said until the owner decides. */
export function takeImageFacts(
  guest: Guest,
  bundle: { readonly sha256: string; readonly bytes: number; readonly count: number },
  at: Instant,
  rules: ReceiverRules,
): Step<Guest> {
  const result = fillResult(
    guest,
    {
      outcome: 'frozen',
      reason: '',
      outputs_count: bundle.count,
      outputs_bytes: bundle.bytes,
      manifest_sha256: bundle.sha256,
      move: guest.move,
      image_need: rules.imageNeed,
    },
    rules,
  );
  const told: Guest = { ...guest, result, repeatAt: at.ms + rules.repeatMs, repeatMs: rules.repeatMs * 2 };
  return { state: told, effects: sayResult(told, at, rules) };
}

/** It could not be frozen, or its image cannot travel: it goes on here, and the owner is told why. */
export function failFreeze(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest> {
  const refused = clip(reason);
  if (guest.phase === 'frozen') return thaw({ ...guest, refused }, at, rules);
  if (guest.phase !== 'freezing') return { state: guest, effects: [] };
  const running: Guest = { ...guest, phase: 'running', refused, result: null };
  const renewed = renewLease(running, at, rules);
  return { state: renewed.state, effects: [persistGuest(running), ...renewed.effects] };
}

/** The owner gave its move number `move` up: the original goes on. */
export function hearResume(guest: Guest, move: number, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase === 'running') return renewLease(guest, at, rules);
  if ((guest.phase !== 'frozen' && guest.phase !== 'freezing') || move !== guest.move || guest.stopping !== null) {
    return { state: guest, effects: [] };
  }
  return thaw(guest, at, rules);
}

/** The owner has committed itself: the copy may run. Journalled BEFORE it is let go, for it may have run from then on. */
export function hearContinue(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase === 'running') return renewLease(guest, at, rules);
  if (guest.phase !== 'prepared' || guest.stopping !== null || at.ms >= guest.leaseEndsAt) {
    return { state: guest, effects: [] };
  }
  return thaw({ ...guest, startedAt: at.ts, startedMs: at.ms }, at, rules);
}

function thaw({ pushing: _pushing, ...guest }: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  // With the share goes a push that is under way, and nobody says how it ended.
  const thawing: Guest = { ...guest, phase: 'thawing', result: null };
  const renewed = renewLease(thawing, at, rules);
  return {
    state: renewed.state,
    effects: [
      persistGuest(thawing),
      // What was shared of an image that is not wanted any more.
      { type: 'RemoveGuest', guest: guestName(guest), files: false },
      { type: 'ThawRun', guest: guestName(guest), leaseEndsAt: leaseEnd(guest) },
      ...renewed.effects,
    ],
  };
}

/** A process that was found here goes on whatever became of its lease. */
function leaseEnd(guest: Guest): number {
  return guest.process === null ? guest.leaseEndsAt : Number.POSITIVE_INFINITY;
}

/** It runs again, or its copy does for the first time. */
export function takeThaw(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase !== 'thawing') return { state: guest, effects: [] };
  const running: Guest = { ...guest, phase: 'running' };
  const renewed = renewLease(running, at, rules);
  return { state: renewed.state, effects: [persistGuest(running), ...renewed.effects] };
}

/**
 * The copy was let go and surely never ran. Its refusal voids what the owner committed itself to, so that the original may go on. A
 * copy that ran once cannot say so: its next thaw is that of an original.
 */
export function failThaw(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (guest.phase !== 'thawing' || !guest.image) return { state: guest, effects: [] };
  if (guest.stopping === 'gone') return { state: null, effects: forgetGuest(guest) };
  if (guest.stopping === 'cancel')
    return endGuest(guest, { outcome: 'cancelled', reason: guest.stopReason }, at, rules);
  return endGuest(guest, { outcome: 'refused', reason: `its copy could not be started: ${reason}` }, at, rules);
}

/** The copy is restored and stopped. */
export function takePrepared(guest: Guest, handle: ProcessHandle, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase !== 'starting' && guest.phase !== 'prepared') return { state: guest, effects: [] };
  const prepared: Guest = { ...guest, phase: 'prepared', handle };
  const renewed = renewLease(prepared, at, rules);
  // It is said once the journal has it: the owner commits itself on this word.
  return { state: renewed.state, effects: [persistGuest(prepared), ...renewed.effects] };
}
