/**
 * Handles the start and the end of a run. The manifest of its outputs is built before its result is published.
 */
import type { Result } from '../../protocol/work-messages.js';
import type { Instant, Step } from '../effects.js';
import { handleFreezeFailure, handleImageFacts } from './freeze.js';
import {
  forgetGuest,
  hasProcesses,
  persistGuest,
  type Guest,
  type ProcessHandle,
  type ReceiverRules,
} from './guest.js';
import { guestName } from './guest-name.js';
import type { CollectedOutputs, GuestInput } from './inputs.js';
import { renewLease } from './renew.js';
import { endGuest, fillResult } from './result.js';
import { stopRun } from './stop.js';

/**
 * The run has started. It counts as running from now on, but that is told only if it lasts. Until then the lease runs
 * from the claim, and the journal has `starting`, which means the same to the next boot of this node.
 */
export function handleStart(guest: Guest, handle: ProcessHandle, at: Instant, rules: ReceiverRules): Step<Guest> {
  // After a restart, a restored copy or a stopped original is found again: that is not a start.
  if ((guest.phase !== 'starting' || guest.image) && guest.phase !== 'running') return { state: guest, effects: [] };
  const running: Guest = { ...guest, phase: 'running', handle };
  const tellAt = guest.startedMs + rules.silentMs;
  const isSilent = guest.phase === 'starting' && at.ms < tellAt;
  return isSilent ? { state: { ...running, tellAt }, effects: [] } : tellStart(running, at, rules);
}

/** Publishes that it runs, and journals its handle for the next boot of this node; nothing waits for that write. */
export function tellStart({ tellAt: _tellAt, ...guest }: Guest, at: Instant, rules: ReceiverRules): Step<Guest> {
  const renewed = renewLease(guest, at, rules);
  return { state: renewed.state, effects: [...renewed.effects, persistGuest(guest)] };
}

/** The run ended with an exit code. */
export function handleExit(
  guest: Guest,
  exit: Extract<GuestInput, { type: 'RunExited' }>,
  at: Instant,
  rules: ReceiverRules,
): Step<Guest | null> {
  if (!hasProcesses(guest)) return { state: guest, effects: [] };
  if (guest.stopping === 'gone') return { state: null, effects: forgetGuest(guest) };
  const stopped = endStopped(guest, at, rules);
  if (stopped !== undefined) return stopped;
  const result: Partial<Result> = {
    exit_code: exit.exitCode,
    signal: exit.signal,
    run_ms: exit.runMs,
    cpu_s: exit.cpuS,
    started_at: guest.startedAt,
  };
  // A cancel that arrives after the job has exited does not change its outcome.
  const stopping = guest.stopping === 'cancel' && exit.untouched === true ? null : guest.stopping;
  switch (stopping) {
    case 'lease':
      return endGuest(guest, { ...result, outcome: 'died', reason: guest.stopReason }, at, rules);
    case 'cancel':
      return endGuest(guest, { ...result, outcome: 'cancelled', reason: guest.stopReason }, at, rules);
    case 'vacate':
      return collect(guest, { ...result, outcome: 'vacated', reason: guest.stopReason }, rules);
    case 'wall':
    case 'output':
      return collect(guest, { ...result, outcome: 'exited', reason: guest.stopReason }, rules);
    case null:
      return collect(guest, { ...result, outcome: 'exited', reason: describeDisk(exit, rules.self) }, rules);
  }
}

/** The reason names a full disk, because programs often do not report it. */
function describeDisk({ exitCode, diskWasFull }: Extract<GuestInput, { type: 'RunExited' }>, self: string): string {
  if (diskWasFull !== true) return '';
  return `exit code ${exitCode}; the disk of ${self} was full while it ran: what it wrote may be truncated`;
}

/** It has written too much that nobody reads: it is stopped with the reason, and its outputs are returned. */
export function endOutput(guest: Guest, reason: string, rules: ReceiverRules): Step<Guest> {
  if (guest.phase !== 'starting' && guest.phase !== 'running') return { state: guest, effects: [] };
  return stopRun(guest, 'output', reason, rules.leaseGraceMs);
}

/** A stopped process ended: a copy that never ran is refused, an original has died. */
function endStopped(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest> | undefined {
  const isCopy = guest.phase === 'prepared' || (guest.phase === 'starting' && guest.image);
  if (!isCopy && guest.phase !== 'frozen') return undefined;
  const reason = guest.stopReason === '' ? 'it ended while it was stopped' : guest.stopReason;
  if (guest.stopping === 'cancel') return endGuest(guest, { outcome: 'cancelled', reason }, at, rules);
  return endGuest(guest, { outcome: isCopy ? 'refused' : 'died', reason }, at, rules);
}

function collect(guest: Guest, result: Partial<Result>, rules: ReceiverRules): Step<Guest> {
  return collectAgain({
    ...guest,
    phase: 'collecting',
    result: fillResult(guest, result, rules),
    repeatMs: rules.repeatMs,
  });
}

/** Builds the manifest of the outputs, for the first time or again. */
export function collectAgain(guest: Guest): Step<Guest> {
  const everything = guest.result?.outcome === 'vacated';
  const globs = guest.command?.outputs ?? [];
  return {
    state: { ...guest, repeatAt: Number.POSITIVE_INFINITY },
    effects: [{ type: 'Collect', guest: guestName(guest), globs, everything, sealKey: guest.sealKey }],
  };
}

/**
 * The manifest of the outputs could not be built. A full disk may be cleared and a file may be closed, so it is tried
 * again. If that fails for too long or can never work, the files stay here: the owner gets the exit code, and the
 * reason says where the files are.
 */
export function handleCollectFailure(
  guest: Guest,
  fault: { readonly reason: string; readonly final: boolean },
  at: Instant,
  rules: ReceiverRules,
): Step<Guest | null> {
  if (guest.phase === 'frozen')
    return handleFreezeFailure(guest, `its image cannot be described: ${fault.reason}`, at, rules);
  if (guest.phase !== 'collecting' || guest.result === null) return { state: guest, effects: [] };
  if (!fault.final && guest.repeatMs < rules.repeatMaxMs) {
    return { state: { ...guest, repeatAt: at.ms + guest.repeatMs, repeatMs: guest.repeatMs * 2 }, effects: [] };
  }
  const reason = `its files stay on ${rules.self} in guests/${guestName(guest)}: ${fault.reason}`;
  const outcome = guest.result.outcome === 'vacated' ? 'died' : guest.result.outcome;
  return endGuest({ ...guest, keepsFiles: true }, { ...guest.result, outcome, reason }, at, rules);
}

/** The manifest is built: the result is complete. */
export function handleCollected(
  guest: Guest,
  bundle: CollectedOutputs,
  at: Instant,
  rules: ReceiverRules,
): Step<Guest | null> {
  if (guest.phase === 'frozen') return handleImageFacts(guest, bundle, at, rules);
  if (guest.phase !== 'collecting' || guest.result === null) return { state: guest, effects: [] };
  const outputs = {
    outputs_count: bundle.count,
    outputs_bytes: bundle.bytes,
    ...(bundle.count === 0 ? {} : { manifest_sha256: bundle.sha256 }),
    ...(bundle.count === 0 || bundle.sealed === undefined ? {} : { sealed: bundle.sealed }),
  };
  return endGuest(guest, { ...guest.result, ...outputs }, at, rules);
}

/** The run ended without an exit code. */
export function handleDeath(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (!hasProcesses(guest)) return { state: guest, effects: [] };
  if (guest.stopping === 'gone') return { state: null, effects: forgetGuest(guest) };
  const stopped = endStopped(guest, at, rules);
  if (stopped !== undefined) return stopped;
  const why = guest.stopReason === '' ? reason : guest.stopReason;
  if (guest.stopping === 'vacate') return collect(guest, { outcome: 'vacated', reason: why }, rules);
  const outcome = guest.stopping === 'cancel' ? 'cancelled' : 'died';
  return endGuest(guest, { outcome, reason: why }, at, rules);
}
