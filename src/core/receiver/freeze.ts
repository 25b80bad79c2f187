/**
 * Moves by checkpoint at a receiver: stops a guest and reports its image, or restores a copy and lets it run when the
 * owner orders it. A stopped original goes on only after `resume` for the same move, a copy only after `continue`.
 */
import { clip } from '../../protocol/clip.js';
import type { Effect, Instant, Step } from '../effects.js';
import { forgetGuest, persistGuest, type Guest, type ProcessHandle, type ReceiverRules } from './guest.js';
import { guestName } from './guest-name.js';
import { renewLease } from './renew.js';
import { endGuest, fillResult, publishResult } from './result.js';

/** The owner orders a checkpoint for its move number `move`. */
export function handleCheckpoint(guest: Guest, move: number, at: Instant, rules: ReceiverRules): Step<Guest> {
  // Its image, or the refusal, was reported already: repeated, in case that was lost.
  if (guest.phase === 'frozen' && move === guest.move) return { state: { ...guest, repeatAt: at.ms }, effects: [] };
  if (guest.phase === 'running' && move === guest.move) return renewLease(guest, at, rules);
  if (guest.phase !== 'running' || guest.stopping !== null || move < guest.move) return { state: guest, effects: [] };
  const freezing: Guest = { ...guest, phase: 'freezing', move, refused: null, wish: null, tellAt: undefined };
  const renewed = renewLease(freezing, at, rules);
  return {
    state: renewed.state,
    effects: [persistGuest(freezing), ...renewed.effects, { type: 'FreezeRun', guest: guestName(guest) }],
  };
}

/** It is stopped and its image is complete: this is journalled, then the manifest is built. */
export function handleFrozen(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase !== 'freezing' || guest.stopping !== null) return { state: guest, effects: [] };
  const frozen: Guest = { ...guest, phase: 'frozen', result: null, repeatAt: Number.POSITIVE_INFINITY };
  const renewed = renewLease(frozen, at, rules);
  return { state: renewed.state, effects: [persistGuest(frozen), ...renewed.effects, collectImage(guest)] };
}

/** Builds the manifest of the image and everything else in the guest's directory. */
export function collectImage(guest: Guest): Effect {
  return { type: 'Collect', guest: guestName(guest), globs: [], everything: true };
}

/** The manifest of the image is built: it is published until the owner decides. */
export function handleImageFacts(
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
  const reported: Guest = { ...guest, result, repeatAt: at.ms + rules.repeatMs, repeatMs: rules.repeatMs * 2 };
  return { state: reported, effects: publishResult(reported, at, rules) };
}

/** It could not be frozen, or its image cannot be sent: it goes on here, and the reason is reported to the owner. */
export function handleFreezeFailure(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest> {
  const refused = clip(reason);
  if (guest.phase === 'frozen') return thaw({ ...guest, refused }, at, rules);
  if (guest.phase !== 'freezing') return { state: guest, effects: [] };
  const running: Guest = { ...guest, phase: 'running', refused, result: null };
  const renewed = renewLease(running, at, rules);
  return { state: renewed.state, effects: [persistGuest(running), ...renewed.effects] };
}

/** The owner gave up its move number `move`: the original goes on. */
export function handleResume(guest: Guest, move: number, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase === 'running') return renewLease(guest, at, rules);
  if ((guest.phase !== 'frozen' && guest.phase !== 'freezing') || move !== guest.move || guest.stopping !== null) {
    return { state: guest, effects: [] };
  }
  return thaw(guest, at, rules);
}

/** The owner has committed: the copy may run. Journalled BEFORE it is resumed, since it may have run from then on. */
export function handleContinue(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase === 'running') return renewLease(guest, at, rules);
  if (guest.phase !== 'prepared' || guest.stopping !== null || at.ms >= guest.leaseEndsAt) {
    return { state: guest, effects: [] };
  }
  return thaw({ ...guest, startedAt: at.ts, startedMs: at.ms }, at, rules);
}

function thaw({ pushing: _pushing, ...guest }: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  // Removing the share ends a push that is under way, and its end is not reported.
  const thawing: Guest = { ...guest, phase: 'thawing', result: null };
  const renewed = renewLease(thawing, at, rules);
  return {
    state: renewed.state,
    effects: [
      persistGuest(thawing),
      // Removes the share of the image, which is no longer needed.
      { type: 'RemoveGuest', guest: guestName(guest), files: false },
      { type: 'ThawRun', guest: guestName(guest), leaseEndsAt: leaseEnd(guest) },
      ...renewed.effects,
    ],
  };
}

/** An external process goes on even if its lease is over. */
function leaseEnd(guest: Guest): number {
  return guest.process === null ? guest.leaseEndsAt : Number.POSITIVE_INFINITY;
}

/** It runs again, or its copy does for the first time. */
export function handleThawed(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase !== 'thawing') return { state: guest, effects: [] };
  const running: Guest = { ...guest, phase: 'running' };
  const renewed = renewLease(running, at, rules);
  return { state: renewed.state, effects: [persistGuest(running), ...renewed.effects] };
}

/**
 * The copy was resumed and certainly never ran. Its refusal voids the owner's commitment, so the original may go on. A
 * copy that has run once cannot be refused any more: its next thaw is that of an original.
 */
export function handleThawFailure(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (guest.phase !== 'thawing' || !guest.image) return { state: guest, effects: [] };
  if (guest.stopping === 'gone') return { state: null, effects: forgetGuest(guest) };
  if (guest.stopping === 'cancel')
    return endGuest(guest, { outcome: 'cancelled', reason: guest.stopReason }, at, rules);
  return endGuest(guest, { outcome: 'refused', reason: `its copy could not be started: ${reason}` }, at, rules);
}

/** The copy is restored and stopped. */
export function handlePrepared(guest: Guest, handle: ProcessHandle, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase !== 'starting' && guest.phase !== 'prepared') return { state: guest, effects: [] };
  const prepared: Guest = { ...guest, phase: 'prepared', handle };
  const renewed = renewLease(prepared, at, rules);
  // Published only once the journal has it, because the owner commits on this message.
  return { state: renewed.state, effects: [persistGuest(prepared), ...renewed.effects] };
}
