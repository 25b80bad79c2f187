/**
 * A result is heard: the epoch ended at its receiver. Outputs are brought home before anything is settled; a result of
 * another epoch, or from one who does not hold this one, changes nothing and is answered so that its teller can rest.
 */
import type { Result } from '../../protocol/work-messages.js';
import { busNow, giveUpTime } from '../bus-time.js';
import type { Instant, Step } from '../effects.js';
import type { OwnerInput } from './inputs.js';
import { isCommitted, isSource, isUnmoved, keepHeld, loseSource, resumeSource, retryMove } from './checkpoint.js';
import { giveUpEpoch, holds, releaseStranger } from './lease.js';
import { bringEffect, sayLease, unshare, type Told } from './order.js';
import { clip } from '../../protocol/clip.js';
import { enterPhase, isHeld, isSettled, persist, type OwnedItem, type OwnerRules } from './owned-item.js';
import { settle } from './settle.js';
import { enterQueue } from './submit.js';
import { fetchAgain, hearNoWay, stayAway } from './way-home.js';

/** Hears a result. */
export function hearResult(
  state: OwnedItem,
  from: string,
  { sealed, ...result }: Result,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (isSource(state, from, result.epoch)) return loseSource(state, result, rules);
  if (!holds(state, from, result.epoch)) return { state, effects: releaseStranger(state, from, result.epoch, rules) };
  if (isSettled(state.phase)) return { state, effects: [sayLease(state, from, result.epoch, 0, 'settled', rules)] };
  if (state.phase === 'returning') return hearAgain(state, from, { result, sealed }, at, rules);
  if (!isHeld(state.phase) && state.phase !== 'lost') return { state, effects: [] };
  return takeResult(state, from, { result, sealed }, at, rules);
}

/**
 * The outputs are on their way, and their receiver speaks once more: it still has them, and says where, since a restart may
 * have changed its address. Any other outcome is of no use: an answer to a late copy of an ack, or the word of a machine that
 * went down and took the outputs along. They may be home already, so they are given their time.
 */
function hearAgain(state: OwnedItem, from: string, told: Told, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { result, sealed } = told;
  if (state.result?.outcome === 'frozen') return hearOriginal(state, from, result, at, rules);
  if (!bringsOutputs(result)) return { state, effects: [] };
  const heard = hearNoWay({ ...state, answeredAt: busNow(rules, at), result }, rules);
  // What could not be fetched may be in the message itself.
  const isWanted = state.repeatAt !== undefined || state.way !== null;
  if (sealed === undefined || !isWanted) return { state: heard, effects: [] };
  // The same word comes by the bus and by the direct path: the second one finds nothing wanted.
  return { state: { ...heard, way: null, repeatAt: undefined }, effects: [bringEffect(heard, from, told)] };
}

function bringsOutputs({ outcome }: Result): boolean {
  return outcome === 'exited' || outcome === 'vacated';
}

/** The image of a stopped original is on its way: it says so again, or it ended before its image was home. */
function hearOriginal(state: OwnedItem, from: string, result: Result, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (result.outcome === 'refused' || (result.outcome === 'frozen' && result.move !== state.move)) {
    return { state, effects: [] };
  }
  if (result.outcome !== 'frozen') return takeLoss(state, from, result, at, rules);
  return { state: hearNoWay({ ...state, answeredAt: busNow(rules, at), result }, rules), effects: [] };
}

function takeResult(state: OwnedItem, from: string, told: Told, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { result } = told;
  const heard = { ...state, result };
  switch (result.outcome) {
    case 'exited':
      return result.outputs_count === 0
        ? settle(heard, 'done', endReason(result), at, rules)
        : bringHome(heard, from, told, at, rules);
    case 'vacated':
      // It was cancelled while its receiver was stopping it to be moved: carried home it would be offered again.
      return state.order === 'cancel'
        ? settle(heard, 'cancelled', 'cancelled', at, rules)
        : bringHome(heard, from, told, at, rules);
    case 'frozen':
      // One of an earlier move, delivered once more, says nothing about this one.
      return state.order === 'checkpoint' && result.move === state.move
        ? bringHome(
            { ...heard, order: 'hold', frozenAt: at.ms },
            from,
            told,
            at,
            rules,
            `its image comes home: ${state.reason}`,
          )
        : { state, effects: [] };
    case 'refused':
      return takeRefusal(state, from, result, at, rules);
    case 'cancelled':
    case 'died':
      return takeLoss(state, from, result, at, rules);
  }
}

/** The sentence of a result: its own reason, or its exit. */
export function endReason(result: Result): string {
  if (result.reason !== '') return result.reason;
  return `exit code ${result.exit_code ?? 'unknown'}`;
}

function bringHome(
  state: OwnedItem,
  from: string,
  told: Told,
  at: Instant,
  rules: OwnerRules,
  reason: string = endReason(told.result),
): Step<OwnedItem> {
  const next = enterPhase(state, 'returning', reason, at, {
    answeredAt: busNow(rules, at),
    repeatAt: undefined,
    way: null,
  });
  return { state: next, effects: [bringEffect(next, from, told)] };
}

function takeRefusal(state: OwnedItem, from: string, result: Result, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const release = sayLease(state, from, state.epoch, 0, 'settled', rules);
  if (state.order === 'cancel') return settle(state, 'cancelled', 'cancelled before it started', at, rules);
  if (isUnmoved(state)) return settle(state, 'failed', `not moved: ${result.reason}`, at, rules);
  if (mayHaveRun(state)) return { state, effects: state.phase === 'lost' ? [release] : [] };
  // Its copy never ran, and is destroyed: what was committed is void.
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

/** The first refusal costs no pause: another receiver may take it. What everybody refuses is offered ever more rarely. */
function refusalPauseMs(before: number, rules: OwnerRules): number {
  return before === 0 ? 0 : Math.min(REFUSAL_PAUSE_MS_MAX, rules.repeatMs * 2 ** Math.min(before - 1, 16));
}

const REFUSAL_PAUSE_MS_MAX = 60_000;

/**
 * Whether the epoch is known to have started. A refusal of it comes from a receiver that has forgotten it, and answers an
 * ack that was delivered once more: it says nothing about the run.
 */
function mayHaveRun(state: OwnedItem): boolean {
  if (state.phase === 'lost' && state.result !== null) return true;
  return state.history.some((entry) => entry.phase === 'running' && entry.epoch === state.epoch);
}

function takeLoss(state: OwnedItem, from: string, result: Result, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.order === 'cancel') return settle({ ...state, result }, 'cancelled', 'cancelled', at, rules);
  const release = sayLease(state, from, state.epoch, 0, 'settled', rules);
  const given = giveUpEpoch({ ...state, result }, `${from} could not finish it: ${endReason(result)}`, at, rules);
  return { state: given.state, effects: [...given.effects, release] };
}

/** The outputs are home and verified: put them where they belong, or take them up as the new inputs of a moved item. */
export function takeHome(state: OwnedItem, epoch: number): Step<OwnedItem> {
  if (state.phase !== 'returning' || epoch !== state.epoch) return { state, effects: [] };
  const { item } = state;
  const { outcome } = state.result ?? {};
  if (outcome === 'vacated' || outcome === 'frozen') {
    const image = outcome === 'frozen';
    return { state, effects: [{ type: 'Carry', item: item.item, epoch, command: item.command, image }] };
  }
  return { state, effects: [{ type: 'Place', item: item.item, epoch, destination: item.destination }] };
}

/** The outputs did not come: try again after a while, or give the epoch up. */
export function failHome(
  state: OwnedItem,
  fault: Omit<Extract<OwnerInput, { type: 'HomeFetchFailed' }>, 'type'>,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (state.phase !== 'returning' || fault.epoch !== state.epoch) return { state, effects: [] };
  const reason = `its outputs did not come home from ${state.receiver ?? 'its receiver'}: ${fault.reason}`;
  const isImage = state.result?.outcome === 'frozen';
  // A fetch that gets on does not fail: the process is not kept stopped for an image that does not come.
  if (isImage && (fault.final || at.ms >= state.frozenAt + rules.frozenMs)) {
    return keepHeld(state, fault.reason, at, rules);
  }
  if (fault.unreached === true) return stayAway(state, fault.reason, at, rules);
  return fault.final
    ? giveUpEpoch(state, reason, at, rules)
    : tryAgainLater({ ...state, way: null }, reason, at, rules);
}

/** The outputs are where they belong: the item is done. What stood in their way before is no reason any more. */
export function takePlaced(state: OwnedItem, epoch: number, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.phase !== 'returning' || epoch !== state.epoch) return { state, effects: [] };
  return settle(state, 'done', state.result === null ? state.reason : endReason(state.result), at, rules);
}

/**
 * The outputs are home but could not be put into place. On a full disk that is tried again, and the receiver is held so long;
 * for any other reason the item is done, and says where they are.
 */
export function failPlaced(
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

/** A failed fetch has tried all addresses several times by itself; the next try waits longer than a repeated message. */
const RETRY_PAUSES = 3;

/** Time passed while outputs are on their way. */
export function passReturnTime(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.result?.outcome === 'frozen' && at.ms >= state.frozenAt + rules.preparedMs) {
    return keepHeld(state, 'its image did not come home in time', at, rules);
  }
  if (at.ms >= giveUpTime(state.answeredAt + rules.returnMs, rules)) {
    return giveUpEpoch(
      state,
      `its outputs stayed at ${state.receiver ?? 'its receiver'}, which does not answer`,
      at,
      rules,
    );
  }
  return state.repeatAt === undefined || at.ms < state.repeatAt ? { state, effects: [] } : fetchAgain(state);
}
