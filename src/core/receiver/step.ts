/**
 * The receiver's step: takes one guest and one input, returns the next state (`null` if the guest is forgotten) and the
 * effects. Apart from restarts and timers, this file only dispatches to the files that decide.
 */
import type { Instant, Step } from '../effects.js';
import { handleAck, handleInputs } from './accept.js';
import { publishClaim } from './claim.js';
import {
  collectImage,
  handleFreezeFailure,
  handleThawFailure,
  handleFrozen,
  handlePrepared,
  handleThawed,
} from './freeze.js';
import { forgetGuest, type Guest, type ReceiverRules } from './guest.js';
import { guestName } from './guest-name.js';
import type { GuestInput } from './inputs.js';
import { handleLease, expireLeaseOfGuest, wallEnd } from './lease.js';
import { askForInputs, handlePushEnd } from './push.js';
import { renewDoubted, renewLease, wasAnswered } from './renew.js';
import { endGuest, expireEnded, republishResult } from './result.js';
import {
  collectAgain,
  endOutput,
  handleCollectFailure,
  handleCollected,
  handleDeath,
  handleExit,
  handleStart,
  tellStart,
} from './run.js';
import { canVacate, stopRun } from './stop.js';

/** Handles one input. */
export function stepReceiver(guest: Guest, input: GuestInput, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  switch (input.type) {
    case 'OfferRepeated':
      return guest.phase === 'claimed'
        ? { state: guest, effects: [publishClaim(guest, input, rules)] }
        : { state: guest, effects: [] };
    case 'AckHeard':
      return handleAck(guest, input.ack, input.obstacle, at, rules, input.path);
    case 'LeaseHeard':
      return handleLease(guest, input, at, rules);
    case 'FetchAdvanced':
      return guest.phase === 'fetching' ? renewLease(guest, at, rules, input) : { state: guest, effects: [] };
    case 'InputsFetched':
      return handleInputs(guest, input.command, at, rules);
    case 'FetchFailed':
      return handleFetchFailure(guest, input.reason, at, rules);
    case 'FetchUnreached':
      return askForInputs(guest, at, rules);
    case 'PushEnded':
      return handlePushEnd(guest, input.fault, at, rules);
    case 'RunStarted':
      return handleStart(guest, input.handle, at, rules);
    case 'RunFailed':
      return handleStartFailure(guest, input.reason, at, rules);
    case 'RunExited':
      return handleExit(guest, input, at, rules);
    case 'OutputExceeded':
      return endOutput(guest, input.reason, rules);
    case 'RunDied':
      return handleDeath(guest, input.reason, at, rules);
    case 'RunDoubted':
      return renewDoubted(guest, at, rules);
    case 'Collected':
      return handleCollected(guest, input.bundle, at, rules);
    case 'CollectFailed':
      return handleCollectFailure(guest, input, at, rules);
    case 'RunPrepared':
      return handlePrepared(guest, input.handle, at, rules);
    case 'RunFrozen':
      return handleFrozen(guest, at, rules);
    case 'FreezeFailed':
      return handleFreezeFailure(guest, input.reason, at, rules);
    case 'RunThawed':
      return handleThawed(guest, at, rules);
    case 'ThawFailed':
      return handleThawFailure(guest, input.reason, at, rules);
    case 'VacateWanted':
      return handleVacateWish(guest, input.reason, at, rules);
    case 'OwnerReturned':
      return publishOwed(guest, at, rules);
    case 'TimePassed':
      return expireGuest(guest, at, rules);
    case 'NodeRestarted':
      return resumeGuest(guest, at, rules);
  }
}

function handleVacateWish(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest> {
  // The start of a run may be reported late, or only with its end. A copy that was not resumed yet stays.
  const mayRun = guest.phase === 'running' || (guest.phase === 'starting' && !guest.image);
  if (!mayRun || guest.process !== null) return { state: guest, effects: [] };
  if (canVacate(guest)) return stopRun(guest, 'vacate', reason, rules.graceMs);
  // Only its owner can choose where it goes.
  if (guest.command?.migrate !== 'checkpoint') return { state: guest, effects: [] };
  return renewLease({ ...guest, wish: reason }, at, rules);
}

function handleFetchFailure(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (guest.phase !== 'fetching') return { state: guest, effects: [] };
  return endGuest(guest, { outcome: 'refused', reason: `its inputs could not be fetched: ${reason}` }, at, rules);
}

function handleStartFailure(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  // The launcher can start and end without having started the command. In these phases the command had started, and its
  // marks were lost in a crash of the machine.
  if (guest.phase === 'freezing' || guest.phase === 'frozen' || guest.phase === 'thawing') {
    return handleDeath(guest, reason, at, rules);
  }
  if (guest.phase !== 'starting' && guest.phase !== 'running' && guest.phase !== 'prepared') {
    return { state: guest, effects: [] };
  }
  if (guest.stopping === 'gone') return { state: null, effects: forgetGuest(guest) };
  if (guest.stopping === 'cancel')
    return endGuest(guest, { outcome: 'cancelled', reason: guest.stopReason }, at, rules);
  // The owner knows that it runs: from then on it can only have died.
  const outcome = guest.phase === 'running' ? 'died' : 'refused';
  return endGuest(guest, { outcome, reason: `it could not be started: ${reason}` }, at, rules);
}

/** Repeats results and renewals that may not have been received. */
function publishOwed(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (guest.phase === 'claimed' || guest.phase === 'collecting') return { state: guest, effects: [] };
  if (guest.phase === 'ended') return republishResult({ ...guest, repeatMs: rules.repeatMs }, at, rules);
  const renewed = wasAnswered(guest) ? { state: guest, effects: [] } : renewLease(guest, at, rules);
  if (guest.phase !== 'frozen' || guest.result === null) return renewed;
  const repeated = republishResult(renewed.state, at, rules);
  return { state: repeated.state, effects: [...renewed.effects, ...repeated.effects] };
}

function isDue(dueAt: number | undefined, at: Instant): boolean {
  return dueAt !== undefined && at.ms >= dueAt;
}

function expireGuest(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (guest.phase === 'ended') return expireEnded(guest, at, rules);
  const isRepeatDue = guest.phase === 'frozen' && guest.result !== null && at.ms >= guest.repeatAt;
  if (isRepeatDue && at.ms < leaseTimerAt(guest)) return republishResult(guest, at, rules);
  if (guest.phase === 'collecting' && at.ms >= guest.repeatAt) return collectAgain(guest);
  if (guest.phase === 'running' && isDue(guest.tellAt, at)) return tellStart(guest, at, rules);
  if (guest.phase !== 'claimed') return expireLeaseOfGuest(guest, at, rules);
  return at.ms >= guest.claimedAt + rules.claimHoldMs ? { state: null, effects: [] } : { state: guest, effects: [] };
}

/**
 * Resumes a guest after a restart. One that was certainly not started is refused, since it is unknown how much of its
 * lease is left. For one that may have been started, the runner looks for its processes.
 */
function resumeGuest(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  switch (guest.phase) {
    case 'claimed':
    case 'fetching':
      return endGuest(guest, { outcome: 'refused', reason: 'its receiver was restarted before it started' }, at, rules);
    case 'starting':
    case 'running':
      return {
        state: guest,
        effects: [
          { type: 'AdoptRun', guest: guestName(guest), handle: guest.handle },
          ...(guest.stopping === null
            ? []
            : [{ type: 'StopRun', guest: guestName(guest), graceMs: rules.graceMs, asks: false } as const]),
        ],
      };
    case 'freezing':
    case 'frozen':
    case 'prepared':
    case 'thawing':
      return resumeStopped(guest);
    case 'collecting':
    case 'ended':
      return { state: { ...guest, repeatAt: at.ms }, effects: [] };
  }
}

/**
 * Resumes a guest with a move under way. A freeze is done again; a process that is stopped with a complete image stays
 * so until its owner decides; a thaw is done again.
 */
function resumeStopped(guest: Guest): Step<Guest> {
  const name = guestName(guest);
  const adopt = { type: 'AdoptRun', guest: name, handle: guest.handle } as const;
  if (guest.stopping !== null) {
    return { state: guest, effects: [adopt, { type: 'StopRun', guest: name, graceMs: 0, asks: false }] };
  }
  switch (guest.phase) {
    case 'freezing':
      return { state: guest, effects: [adopt, { type: 'FreezeRun', guest: name }] };
    case 'thawing':
      return {
        state: guest,
        effects: [adopt, { type: 'ThawRun', guest: name, leaseEndsAt: Number.POSITIVE_INFINITY }],
      };
    case 'frozen':
      return { state: { ...guest, result: null }, effects: [adopt, collectImage(guest)] };
    default:
      return { state: guest, effects: [adopt] };
  }
}

/** When the guest next needs the input `TimePassed`, monotonic ms. */
export function nextGuestTimerAt(guest: Guest, rules: ReceiverRules): number {
  switch (guest.phase) {
    case 'claimed':
      return guest.claimedAt + rules.claimHoldMs;
    case 'ended':
      return Math.min(guest.repeatAt, guest.endedMs + rules.keepMs);
    case 'collecting':
      return Math.min(guest.renewAt, guest.repeatAt);
    case 'fetching':
      return Math.min(guest.leaseEndsAt, guest.renewAt);
    case 'frozen':
      return Math.min(
        leaseTimerAt(guest),
        guest.renewAt,
        guest.result === null ? Number.POSITIVE_INFINITY : guest.repeatAt,
      );
    case 'freezing':
    case 'prepared':
    case 'thawing':
      return Math.min(leaseTimerAt(guest), guest.renewAt);
    case 'starting':
    case 'running':
      return Math.min(
        leaseTimerAt(guest),
        guest.renewAt,
        guest.tellAt ?? Number.POSITIVE_INFINITY,
        guest.stopping === null ? wallEnd(guest) : Number.POSITIVE_INFINITY,
      );
  }
}

function leaseTimerAt(guest: Guest): number {
  const over = guest.stopping === 'lease' || guest.stopping === 'gone' || guest.process !== null;
  return over ? Number.POSITIVE_INFINITY : guest.leaseEndsAt;
}
