/**
 * The lease, as the owner keeps it. Each renewal is answered with what the owner wants; the owner offers again only when
 * lease and margin have passed since its last answer, because only an answer can have extended the lease.
 */
import type { Progress } from '../../protocol/work-messages.js';
import { busNow, giveUpTime } from '../bus-time.js';
import type { Effect, Instant, Step } from '../effects.js';
import { sayAck } from './ack.js';
import {
  commit,
  confirmMove,
  hearSource,
  hearStay,
  isCommitted,
  isSource,
  orderCheckpoint,
  retryMove,
} from './checkpoint.js';
import { callAgain, wayOfCall } from './direct.js';
import { releaseSource, sayLease, unshare } from './order.js';
import { enterPhase, isHeld, persist, type OwnedItem, type OwnerRules } from './owned-item.js';
import { settle } from './settle.js';
import { enterQueue } from './submit.js';
import { bringInputs } from './way-home.js';

/** Hears a renewal. */
export function hearProgress(
  state: OwnedItem,
  from: string,
  progress: Progress,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (isSource(state, from, progress.epoch)) return hearSource(state, progress, at, rules);
  if (!holds(state, from, progress.epoch))
    return { state, effects: releaseStranger(state, from, progress.epoch, rules) };
  // Its image is on its way home: the stopped original goes on being held.
  if (isFreezing(state)) return answer(state, progress.renewal, at, rules);
  if (state.phase === 'lost' && state.item.process !== undefined && progress.phase === 'running') {
    return refind(state, progress, at, rules);
  }
  if (!isHeld(state.phase)) return { state, effects: [] };
  return hearHolder(state, progress, at, rules);
}

function isFreezing(state: OwnedItem): boolean {
  return state.phase === 'returning' && state.result?.outcome === 'frozen';
}

/** A process that nothing was heard of speaks again: it was never offered to anybody else. */
function refind(state: OwnedItem, progress: Progress, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const found = enterPhase(state, 'running', `${state.receiver ?? ''} is heard of again`, at, { order: 'hold' });
  const answered = answer(found, progress.renewal, at, rules);
  return { state: answered.state, effects: [persist(answered.state), ...answered.effects] };
}

function hearHolder(heard: OwnedItem, progress: Progress, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const state = noteDirect(heard, progress, at);
  if (state.image !== null && state.phase === 'acked' && progress.phase === 'prepared' && state.order === 'hold') {
    return commit(state, progress.renewal, at, rules);
  }
  const settled = settleOrder(state, progress, at, rules);
  const answered = answer(settled.state, progress.renewal, at, rules);
  const brought = progress.phase === 'fetching' ? bringInputs(state, progress.push_to) : [];
  return { state: answered.state, effects: [...settled.effects, ...answered.effects, ...brought] };
}

/** A receiver that did not reach its owner by the direct path is called once: perhaps the owner reaches it. */
function noteDirect(state: OwnedItem, { direct }: Progress, at: Instant): OwnedItem {
  if (direct === undefined || direct === state.direct) return state;
  return { ...state, direct, callAt: direct ? state.callAt : Math.min(state.callAt, at.ms) };
}

/** What the renewal says of the order that stands. */
function settleOrder(state: OwnedItem, progress: Progress, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.order === 'checkpoint' && progress.refused !== undefined && progress.move === state.move) {
    return hearStay(state, progress, at, rules);
  }
  // An order that was obeyed, or a journal that forgot it: nobody else has the process, it must not stay stopped.
  if (state.phase === 'running' && state.order === 'hold' && progress.phase === 'frozen') {
    return { state: { ...state, order: 'resume', move: progress.move ?? state.move }, effects: [] };
  }
  if (progress.phase !== 'running') return { state, effects: [] };
  if (state.order === 'hold' && progress.wants_move !== undefined && state.item.command.migrate === 'checkpoint') {
    return orderCheckpoint(state, null, progress.wants_move, at, rules);
  }
  if (state.order === 'resume') return hearStay(state, progress, at, rules);
  if (state.order === 'continue') return confirmMove(state, at, rules);
  if (state.phase === 'running' || state.image !== null) return { state, effects: [] };
  return { state: enterPhase(state, 'running', state.reason, at, { refusals: 0 }), effects: [] };
}

function answer(state: OwnedItem, renewal: number, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (!isHeld(state.phase) && state.phase !== 'returning') return { state, effects: [] };
  const effects = [sayLease(state, state.receiver ?? '', state.epoch, renewal, state.order, rules)];
  // A cancelled item's lease runs out on purpose: a receiver that does not listen ends it by itself.
  if (state.order === 'cancel') return { state, effects };
  // While outputs or an image come home, what is to be repeated is their fetch: a renewal says nothing about that.
  const isHeard = state.order === 'hold' && isHeld(state.phase);
  return {
    state: { ...state, answeredAt: busNow(rules, at), repeatAt: isHeard ? undefined : state.repeatAt },
    effects,
  };
}

/** Whether this member holds this epoch of the item. */
export function holds(state: OwnedItem, from: string, epoch: number): boolean {
  return state.receiver === from && state.epoch === epoch;
}

/**
 * What a member hears that does not hold the epoch it speaks of. An epoch to come is no epoch of ours (our journal was
 * lost, or it is forged), and is released too.
 */
export function releaseStranger(state: OwnedItem, from: string, epoch: number, rules: OwnerRules): Effect[] {
  return [sayLease(state, from, epoch, 0, 'gone', rules)];
}

/** Time passed while a receiver holds the item: repeat what was not answered, or give the lease up. */
export function passLeaseTime(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (at.ms >= giveUpTime(leaseEnd(state, rules), rules)) return loseLease(state, at, rules);
  if (at.ms >= state.callAt) return call(state, at, rules);
  if (state.repeatAt === undefined || at.ms < state.repeatAt) return { state, effects: [] };
  const repeated = { ...state, repeatAt: at.ms + rules.repeatMs };
  const again =
    state.order === 'hold'
      ? sayAck(state, rules)
      : sayLease(state, state.receiver ?? '', state.epoch, 0, state.order, rules);
  return { state: repeated, effects: [again] };
}

/** Calls a receiver that fell silent: what it answers comes back by the same path, also where it cannot call. */
function call(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const way = wayOfCall(state);
  const called = { ...state, ...callAgain(at, state.leaseMs) };
  return { state: called, effects: way === undefined ? [] : [sayAck(state, rules, way)] };
}

/** Says what is still to be answered once more, and at once. */
export function repeatOrder(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (!isHeld(state.phase) || state.repeatAt === undefined) return { state, effects: [] };
  return passLeaseTime({ ...state, repeatAt: at.ms }, at, rules);
}

/** When the owner may take it that its receiver has stopped, in bus time: never earlier than by any clock that runs on. */
export function leaseEnd(state: OwnedItem, rules: OwnerRules): number {
  return state.answeredAt + state.leaseMs + rules.marginMs;
}

function loseLease(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.order === 'cancel') {
    return settle(
      state,
      'cancelled',
      `cancelled; ${state.receiver ?? 'its receiver'} did not answer, its lease is over`,
      at,
      rules,
    );
  }
  return giveUpEpoch(state, `the lease of ${state.receiver ?? 'its receiver'} ended without an answer`, at, rules);
}

/**
 * An epoch ended without a result. A `rerun` item goes back to the queue while it has attempts left; a `once` item may
 * have been started, so it is lost until a person decides, and keeps its receiver: a late result of it still counts.
 */
export function giveUpEpoch(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  // A copy that was never let run has done nothing.
  if (state.image !== null && state.phase === 'acked' && !isCommitted(state))
    return retryMove(state, reason, at, rules);
  const given = giveUpRun({ ...state, source: null }, reason, at, rules);
  return { state: given.state, effects: [...given.effects, ...releaseSource(state, rules)] };
}

function giveUpRun(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.item.retry === 'once') {
    const lost = enterPhase(state, 'lost', `${reason}; it may have been started and is to run once`, at, {
      repeatAt: undefined,
      order: 'hold',
    });
    return { state: lost, effects: [persist(lost)] };
  }
  if (state.attempts >= state.item.attempts) {
    return settle(state, 'failed', `${reason}; given up after ${state.attempts} starts`, at, rules);
  }
  const avoid = state.receiver === null ? [] : [state.receiver];
  const next = enterQueue(state, reason, at, { avoid, result: null });
  return { state: next, effects: [persist(next), unshare(state)] };
}
