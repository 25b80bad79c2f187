/**
 * Handles results: an epoch ended at its receiver. Outputs are fetched before the item is settled. A result of another
 * epoch or from another node changes nothing, and is answered so that its sender stops repeating it.
 */
import { describeExitCode } from '../../protocol/status.js';
import type { Result } from '../../protocol/work-messages.js';
import { busNow, giveUpTime } from '../bus-time.js';
import type { Instant, Step } from '../effects.js';
import type { ItemInput } from './inputs.js';
import {
  isCommitted,
  isSource,
  isUnmoved,
  resumeInPlace,
  handleSourceLoss,
  resumeSource,
  retryMove,
} from './checkpoint.js';
import { giveUpEpoch, holds, releaseStranger } from './lease.js';
import { fetchOutputs, publishLease, unshare, type ReceivedResult } from './lease-message.js';
import { clip } from '../../protocol/clip.js';
import { enterPhase, isHeld, isSettled, persist, type OwnedItem, type OwnerRules } from './owned-item.js';
import { settle } from './settle.js';
import { enterQueue } from './submit.js';
import { fetchAgain, handleNoPath, waitForPath } from './unreachable.js';

/** Handles a result. */
export function handleResult(
  state: OwnedItem,
  from: string,
  { sealed, ...result }: Result,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (isSource(state, from, result.epoch)) return handleSourceLoss(state, result, rules);
  if (!holds(state, from, result.epoch)) return { state, effects: releaseStranger(state, from, result.epoch, rules) };
  if (isSettled(state.phase)) return { state, effects: [publishLease(state, from, result.epoch, 0, 'settled', rules)] };
  if (state.phase === 'returning') return handleRepeated(state, { from, result, sealed }, at, rules);
  if (!isHeld(state.phase) && state.phase !== 'lost') return { state, effects: [] };
  return handleExit(state, { from, result, sealed }, at, rules);
}

/**
 * The receiver repeats its result while the outputs are being fetched: it still has them, and its address may have
 * changed in a restart. Any other outcome is ignored: it answers a late copy of an ack, or comes from a machine that
 * crashed and lost the outputs. They may have arrived already, so the fetch is given its time.
 */
function handleRepeated(state: OwnedItem, received: ReceivedResult, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { from, result, sealed } = received;
  if (state.result?.outcome === 'frozen') return handleOriginal(state, from, result, at, rules);
  if (!bringsOutputs(result)) return { state, effects: [] };
  const heard = handleNoPath({ ...state, answeredAt: busNow(rules, at), result }, rules);
  // Outputs that could not be fetched may be in the message itself.
  const isWanted = state.repeatAt !== undefined || state.way !== null;
  if (sealed === undefined || !isWanted) return { state: heard, effects: [] };
  // The same message arrives over the bus and the direct path: the second one must not start another fetch.
  return { state: { ...heard, way: null, repeatAt: undefined }, effects: [fetchOutputs(heard, received)] };
}

function bringsOutputs({ outcome }: Result): boolean {
  return outcome === 'exited' || outcome === 'vacated';
}

/** The image of a stopped original is being fetched: its receiver repeats that, or the original ended before. */
function handleOriginal(
  state: OwnedItem,
  from: string,
  result: Result,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (result.outcome === 'refused' || (result.outcome === 'frozen' && result.move !== state.move)) {
    return { state, effects: [] };
  }
  if (result.outcome !== 'frozen') return handleLoss(state, from, result, at, rules);
  return { state: handleNoPath({ ...state, answeredAt: busNow(rules, at), result }, rules), effects: [] };
}

function handleExit(state: OwnedItem, received: ReceivedResult, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { from, result } = received;
  const heard = { ...state, result };
  switch (result.outcome) {
    case 'exited':
      return result.outputs_count === 0
        ? settle(heard, 'done', endReason(result), at, rules)
        : startFetch(heard, received, at, rules);
    case 'vacated':
      // It was cancelled while it was being vacated: if it were fetched, it would be offered again.
      return state.order === 'cancel'
        ? settle(heard, 'cancelled', 'cancelled', at, rules)
        : startFetch(heard, received, at, rules);
    case 'frozen':
      // A late copy from an earlier move says nothing about this one.
      return state.order === 'checkpoint' && result.move === state.move
        ? startFetch(
            { ...heard, order: 'hold', frozenAt: at.ms },
            received,
            at,
            rules,
            `its image comes home: ${state.reason}`,
          )
        : { state, effects: [] };
    case 'refused':
      return handleRefusal(state, from, result, at, rules);
    case 'cancelled':
    case 'died':
      return handleLoss(state, from, result, at, rules);
  }
}

/** The sentence of a result: its reason, or its exit code. */
export function endReason(result: Result): string {
  return result.reason === '' ? describeExitCode(result.exit_code) : result.reason;
}

function startFetch(
  state: OwnedItem,
  received: ReceivedResult,
  at: Instant,
  rules: OwnerRules,
  reason: string = endReason(received.result),
): Step<OwnedItem> {
  const next = enterPhase(state, 'returning', reason, at, {
    answeredAt: busNow(rules, at),
    repeatAt: undefined,
    way: null,
  });
  return { state: next, effects: [fetchOutputs(next, received)] };
}

function handleRefusal(
  state: OwnedItem,
  from: string,
  result: Result,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  const release = publishLease(state, from, state.epoch, 0, 'settled', rules);
  if (state.order === 'cancel') return settle(state, 'cancelled', 'cancelled before it started', at, rules);
  if (isUnmoved(state)) return settle(state, 'failed', `not moved: ${result.reason}`, at, rules);
  if (mayHaveRun(state)) return { state, effects: state.phase === 'lost' ? [release] : [] };
  // The copy never ran and is destroyed, which voids the commitment.
  if (state.source !== null) {
    const reason = `${from} refused it: ${result.reason}`;
    return isCommitted(state) ? resumeSource(state, reason, at, rules) : retryMove(state, reason, at, rules);
  }
  const next = enterQueue(state, `${from} refused it: ${result.reason}`, at, {
    avoid: [from],
    attempts: Math.max(0, state.attempts - 1),
    refusals: state.refusals + 1,
    notBefore: at.ms + refusalPauseMs(state.refusals, rules),
  });
  return { state: next, effects: [persist(next), unshare(state), release] };
}

/** The first refusal costs no pause, since another receiver may take it. After that the pauses grow. */
function refusalPauseMs(before: number, rules: OwnerRules): number {
  return before === 0 ? 0 : Math.min(REFUSAL_PAUSE_MS_MAX, rules.repeatMs * 2 ** Math.min(before - 1, 16));
}

const REFUSAL_PAUSE_MS_MAX = 60_000;

/**
 * Whether the epoch is known to have started. If so, a refusal comes from a receiver that has forgotten it and answers
 * a late copy of the ack; it says nothing about the run.
 */
function mayHaveRun(state: OwnedItem): boolean {
  if (state.phase === 'lost' && state.result !== null) return true;
  return state.history.some((entry) => entry.phase === 'running' && entry.epoch === state.epoch);
}

function handleLoss(state: OwnedItem, from: string, result: Result, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.order === 'cancel') return settle({ ...state, result }, 'cancelled', 'cancelled', at, rules);
  const release = publishLease(state, from, state.epoch, 0, 'settled', rules);
  const given = giveUpEpoch({ ...state, result }, `${from} could not finish it: ${endReason(result)}`, at, rules);
  return { state: given.state, effects: [...given.effects, release] };
}

/** The outputs are fetched and verified: place them, or make them the new inputs of a moved item. */
export function handleFetched(state: OwnedItem, epoch: number): Step<OwnedItem> {
  if (state.phase !== 'returning' || epoch !== state.epoch) return { state, effects: [] };
  const { spec } = state;
  const { outcome } = state.result ?? {};
  if (outcome === 'vacated' || outcome === 'frozen') {
    const image = outcome === 'frozen';
    return { state, effects: [{ type: 'Carry', item: spec.id, epoch, command: spec.command, image }] };
  }
  return { state, effects: [{ type: 'Place', item: spec.id, epoch, destination: spec.destination }] };
}

/** The outputs could not be fetched: try again later, or give the epoch up. */
export function handleFetchFailure(
  state: OwnedItem,
  fault: Omit<Extract<ItemInput, { type: 'HomeFetchFailed' }>, 'type'>,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (state.phase !== 'returning' || fault.epoch !== state.epoch) return { state, effects: [] };
  const reason = `its outputs did not come home from ${state.receiver ?? 'its receiver'}: ${fault.reason}`;
  const isImage = state.result?.outcome === 'frozen';
  // A fetch that makes progress does not fail. The process must not stay stopped for an image that never arrives.
  if (isImage && (fault.final || at.ms >= state.frozenAt + rules.frozenMs)) {
    return resumeInPlace(state, fault.reason, at, rules);
  }
  if (fault.unreached === true) return waitForPath(state, fault.reason, at, rules);
  return fault.final
    ? giveUpEpoch(state, reason, at, rules)
    : tryAgainLater({ ...state, way: null }, reason, at, rules);
}

/** The outputs are in place: the item is done. Earlier obstacles are dropped from its reason. */
export function handlePlaced(state: OwnedItem, epoch: number, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.phase !== 'returning' || epoch !== state.epoch) return { state, effects: [] };
  return settle(state, 'done', state.result === null ? state.reason : endReason(state.result), at, rules);
}

/**
 * The outputs are at the owner but could not be placed. On a full disk that is tried again, and the receiver is not
 * released until then; for any other reason the item is done, and its reason says where they are.
 */
export function handlePlaceFailure(
  state: OwnedItem,
  fault: { readonly epoch: number; readonly reason: string; readonly final: boolean },
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (state.phase !== 'returning' || fault.epoch !== state.epoch) return { state, effects: [] };
  if (fault.final) return settle(state, 'done', `its outputs stay in its own directory: ${fault.reason}`, at, rules);
  return tryAgainLater(state, `its outputs wait in its own directory: ${fault.reason}`, at, rules);
}

function tryAgainLater(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const repeatAt = at.ms + rules.repeatMs * RETRY_PAUSES;
  return { state: { ...state, reason: clip(reason), repeatAt }, effects: [] };
}

/** A failed fetch has already tried all addresses several times; the next try waits longer than a repeated message. */
const RETRY_PAUSES = 3;

/** Time passed while outputs are being fetched. */
export function expireReturn(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.result?.outcome === 'frozen' && at.ms >= state.frozenAt + rules.preparedMs) {
    return resumeInPlace(state, 'its image did not come home in time', at, rules);
  }
  if (at.ms >= giveUpTime(state.answeredAt + rules.returnMs, rules)) {
    const holder = state.receiver ?? 'its receiver';
    return giveUpEpoch(state, `its outputs stayed at ${holder}, which does not answer`, at, rules);
  }
  return state.repeatAt === undefined || at.ms < state.repeatAt ? { state, effects: [] } : fetchAgain(state);
}
