/**
 * What became of a run: started, ended, died. Its outputs are described before the result is said.
 */
import type { Result } from '../../protocol/work-messages.js';
import type { Instant, Step } from '../effects.js';
import { failFreeze, takeImageFacts } from './freeze.js';
import {
  forgetGuest,
  guestName,
  hasProcesses,
  persistGuest,
  type Guest,
  type ProcessHandle,
  type ReceiverRules,
} from './guest.js';
import type { CollectedFacts, ReceiverInput } from './inputs.js';
import { renewLease } from './renew.js';
import { endGuest, fillResult } from './result.js';
import { stopRun } from './stop.js';

/** The run lives. Its handle is journalled for the next life of this node; nothing waits for that write. */
export function takeStart(guest: Guest, handle: ProcessHandle, at: Instant, rules: ReceiverRules): Step<Guest> {
  // A copy that was restored, or an original that is stopped, is found again after a restart: it is no start.
  if ((guest.phase !== 'starting' || guest.image) && guest.phase !== 'running') return { state: guest, effects: [] };
  const running: Guest = { ...guest, phase: 'running', handle };
  const renewed = renewLease(running, at, rules);
  return { state: renewed.state, effects: [...renewed.effects, persistGuest(running)] };
}

/** The run ended with an exit code. */
export function takeExit(
  guest: Guest,
  exit: Extract<ReceiverInput, { type: 'RunExited' }>,
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
  // A cancel that meets a job which has ended by itself does not undo that.
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

/** On a full disk programs fail in ways of their own, or do not notice. */
function describeDisk({ exitCode, diskWasFull }: Extract<ReceiverInput, { type: 'RunExited' }>, self: string): string {
  if (diskWasFull !== true) return '';
  return `exit code ${exitCode}; the disk of ${self} was full while it ran: what it wrote may be cut`;
}

/** It writes what nobody reads: it is ended with the reason, and what it has written comes home. */
export function endOutput(guest: Guest, reason: string, rules: ReceiverRules): Step<Guest> {
  if (guest.phase !== 'starting' && guest.phase !== 'running') return { state: guest, effects: [] };
  return stopRun(guest, 'output', reason, rules.leaseGraceMs);
}

/** What was stopped ended: a copy that never ran is refused, an original is lost. */
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

/** Describes the outputs, first or once more. */
export function collectAgain(guest: Guest): Step<Guest> {
  const everything = guest.result?.outcome === 'vacated';
  const globs = guest.command?.outputs ?? [];
  return {
    state: { ...guest, repeatAt: Number.POSITIVE_INFINITY },
    effects: [{ type: 'Collect', guest: guestName(guest), globs, everything, sealKey: guest.sealKey }],
  };
}

/**
 * The outputs could not be described. A full disk may be cleared and a file may be closed, so it is tried again. What can
 * never travel, or does not for long, stays here: the exit code goes home, and the reason says where the files are.
 */
export function failCollect(
  guest: Guest,
  fault: { readonly reason: string; readonly final: boolean },
  at: Instant,
  rules: ReceiverRules,
): Step<Guest | null> {
  if (guest.phase === 'frozen') return failFreeze(guest, `its image cannot be told of: ${fault.reason}`, at, rules);
  if (guest.phase !== 'collecting' || guest.result === null) return { state: guest, effects: [] };
  if (!fault.final && guest.repeatMs < rules.repeatMaxMs) {
    return { state: { ...guest, repeatAt: at.ms + guest.repeatMs, repeatMs: guest.repeatMs * 2 }, effects: [] };
  }
  const reason = `its files stay on ${rules.self} in guests/${guestName(guest)}: ${fault.reason}`;
  const outcome = guest.result.outcome === 'vacated' ? 'died' : guest.result.outcome;
  return endGuest({ ...guest, keepsFiles: true }, { ...guest.result, outcome, reason }, at, rules);
}

/** The outputs are described: the result is complete. */
export function takeCollected(
  guest: Guest,
  bundle: CollectedFacts,
  at: Instant,
  rules: ReceiverRules,
): Step<Guest | null> {
  if (guest.phase === 'frozen') return takeImageFacts(guest, bundle, at, rules);
  if (guest.phase !== 'collecting' || guest.result === null) return { state: guest, effects: [] };
  const outputs = {
    outputs_count: bundle.count,
    outputs_bytes: bundle.bytes,
    ...(bundle.count === 0 ? {} : { manifest_sha256: bundle.sha256 }),
    ...(bundle.count === 0 || bundle.sealed === undefined ? {} : { sealed: bundle.sealed }),
  };
  return endGuest(guest, { ...guest.result, ...outputs }, at, rules);
}

/** The run is over and left no exit code. */
export function takeDeath(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (!hasProcesses(guest)) return { state: guest, effects: [] };
  if (guest.stopping === 'gone') return { state: null, effects: forgetGuest(guest) };
  const stopped = endStopped(guest, at, rules);
  if (stopped !== undefined) return stopped;
  const why = guest.stopReason === '' ? reason : guest.stopReason;
  if (guest.stopping === 'vacate') return collect(guest, { outcome: 'vacated', reason: why }, rules);
  const outcome = guest.stopping === 'cancel' ? 'cancelled' : 'died';
  return endGuest(guest, { outcome, reason: why }, at, rules);
}
