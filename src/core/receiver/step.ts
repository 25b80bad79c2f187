/**
 * The receiver's step: one guest, one fact, the next state (`null` when it is forgotten) and what is to be done. Nothing
 * else is done here but choosing the file that decides.
 */
import type { Instant, Step } from '../effects.js';
import { hearAck, takeInputs } from './accept.js';
import { sayClaim } from './claim.js';
import { describeImage, failFreeze, failThaw, takeFrozen, takePrepared, takeThaw } from './freeze.js';
import { forgetGuest, guestName, type Guest, type ReceiverRules } from './guest.js';
import type { ReceiverInput } from './inputs.js';
import { hearOrder, passLease, wallEnd } from './lease.js';
import { askForInputs, takePush } from './push.js';
import { renewDoubted, renewLease, wasAnswered } from './renew.js';
import { endGuest, passEnded, passResult } from './result.js';
import { collectAgain, endOutput, failCollect, takeCollected, takeDeath, takeExit, takeStart } from './run.js';
import { canVacate, stopRun } from './stop.js';

/** Takes one fact in. */
export function stepReceiver(
  guest: Guest,
  input: ReceiverInput,
  at: Instant,
  rules: ReceiverRules,
): Step<Guest | null> {
  switch (input.type) {
    case 'OfferRepeated':
      return guest.phase === 'claimed'
        ? { state: guest, effects: [sayClaim(guest, input, rules)] }
        : { state: guest, effects: [] };
    case 'AckHeard':
      return hearAck(guest, input.ack, input.obstacle, at, rules, input.path);
    case 'LeaseHeard':
      return hearOrder(guest, input, at, rules);
    case 'FetchAdvanced':
      return guest.phase === 'fetching' ? renewLease(guest, at, rules, input) : { state: guest, effects: [] };
    case 'InputsFetched':
      return takeInputs(guest, input.command, at, rules);
    case 'FetchFailed':
      return failFetch(guest, input.reason, at, rules);
    case 'FetchUnreached':
      return askForInputs(guest, at, rules);
    case 'PushEnded':
      return takePush(guest, input.fault, at, rules);
    case 'RunStarted':
      return takeStart(guest, input.handle, at, rules);
    case 'RunFailed':
      return failStart(guest, input.reason, at, rules);
    case 'RunExited':
      return takeExit(guest, input, at, rules);
    case 'OutputExceeded':
      return endOutput(guest, input.reason, rules);
    case 'RunDied':
      return takeDeath(guest, input.reason, at, rules);
    case 'RunDoubted':
      return renewDoubted(guest, at, rules);
    case 'Collected':
      return takeCollected(guest, input.bundle, at, rules);
    case 'CollectFailed':
      return failCollect(guest, input, at, rules);
    case 'RunPrepared':
      return takePrepared(guest, input.handle, at, rules);
    case 'RunFrozen':
      return takeFrozen(guest, at, rules);
    case 'FreezeFailed':
      return failFreeze(guest, input.reason, at, rules);
    case 'RunThawed':
      return takeThaw(guest, at, rules);
    case 'ThawFailed':
      return failThaw(guest, input.reason, at, rules);
    case 'VacateWanted':
      return wantVacated(guest, input.reason, at, rules);
    case 'OwnerReturned':
      return sayOwed(guest, at, rules);
    case 'TimePassed':
      return passTime(guest, at, rules);
    case 'NodeRestarted':
      return resumeGuest(guest, at, rules);
  }
}

function wantVacated(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest> {
  if (guest.phase !== 'running' || guest.process !== null) return { state: guest, effects: [] };
  if (canVacate(guest)) return stopRun(guest, 'vacate', reason, rules.graceMs);
  // Where it goes, only its owner can tell.
  if (guest.command?.migrate !== 'checkpoint') return { state: guest, effects: [] };
  return renewLease({ ...guest, wish: reason }, at, rules);
}

function failFetch(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (guest.phase !== 'fetching') return { state: guest, effects: [] };
  return endGuest(guest, { outcome: 'refused', reason: `its inputs could not be fetched: ${reason}` }, at, rules);
}

function failStart(guest: Guest, reason: string, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  // The launcher may be seen to start and end without ever having started the command.
  // Its marks were lost with its machine: what is known of it says that it had started.
  if (guest.phase === 'freezing' || guest.phase === 'frozen' || guest.phase === 'thawing') {
    return takeDeath(guest, reason, at, rules);
  }
  if (guest.phase !== 'starting' && guest.phase !== 'running' && guest.phase !== 'prepared') {
    return { state: guest, effects: [] };
  }
  if (guest.stopping === 'gone') return { state: null, effects: forgetGuest(guest) };
  if (guest.stopping === 'cancel')
    return endGuest(guest, { outcome: 'cancelled', reason: guest.stopReason }, at, rules);
  // The owner has heard that it runs; only a death may end what was said to run.
  const outcome = guest.phase === 'running' ? 'died' : 'refused';
  return endGuest(guest, { outcome, reason: `it could not be started: ${reason}` }, at, rules);
}

/** Results and renewals that may have been said to nobody. */
function sayOwed(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (guest.phase === 'claimed' || guest.phase === 'collecting') return { state: guest, effects: [] };
  if (guest.phase === 'ended') return passResult({ ...guest, repeatMs: rules.repeatMs }, at, rules);
  const renewed = wasAnswered(guest) ? { state: guest, effects: [] } : renewLease(guest, at, rules);
  if (guest.phase !== 'frozen' || guest.result === null) return renewed;
  const told = passResult(renewed.state, at, rules);
  return { state: told.state, effects: [...renewed.effects, ...told.effects] };
}

function passTime(guest: Guest, at: Instant, rules: ReceiverRules): Step<Guest | null> {
  if (guest.phase === 'ended') return passEnded(guest, at, rules);
  const tells = guest.phase === 'frozen' && guest.result !== null && at.ms >= guest.repeatAt;
  if (tells && at.ms < leaseWake(guest)) return passResult(guest, at, rules);
  if (guest.phase === 'collecting' && at.ms >= guest.repeatAt) return collectAgain(guest);
  if (guest.phase !== 'claimed') return passLease(guest, at, rules);
  return at.ms >= guest.claimedAt + rules.claimHoldMs ? { state: null, effects: [] } : { state: guest, effects: [] };
}

/**
 * Takes a guest up again after a restart. What surely was not started is refused, since nobody knows any more how much of
 * its lease is left; what may have been started is looked for.
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
 * A move was under way. What was being frozen is frozen; what is stopped with a complete image stays so until its owner
 * decides; what was to go on may do so.
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
      return { state: { ...guest, result: null }, effects: [adopt, describeImage(guest)] };
    default:
      return { state: guest, effects: [adopt] };
  }
}

/** When the guest next wants to hear that time passed, monotonic ms. */
export function guestWakeTime(guest: Guest, rules: ReceiverRules): number {
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
        leaseWake(guest),
        guest.renewAt,
        guest.result === null ? Number.POSITIVE_INFINITY : guest.repeatAt,
      );
    case 'freezing':
    case 'prepared':
    case 'thawing':
      return Math.min(leaseWake(guest), guest.renewAt);
    case 'starting':
    case 'running':
      return Math.min(
        leaseWake(guest),
        guest.renewAt,
        guest.stopping === null ? wallEnd(guest) : Number.POSITIVE_INFINITY,
      );
  }
}

function leaseWake(guest: Guest): number {
  const over = guest.stopping === 'lease' || guest.stopping === 'gone' || guest.process !== null;
  return over ? Number.POSITIVE_INFINITY : guest.leaseEndsAt;
}
