/**
 * The lease, as the owner keeps it. Each renewal is answered with what the owner wants; the owner offers again only
 * when lease and margin have passed since its last answer, because only an answer can have extended the lease.
 */
import type { ProgressReport } from '../../protocol/work-messages.js';
import { busNow, giveUpTime } from '../bus-time.js';
import type { Effect, Instant, Step } from '../effects.js';
import { publishAck } from './ack.js';
import {
  commit,
  confirmMove,
  handleSourceProgress,
  handleStay,
  isCommitted,
  isSource,
  orderCheckpoint,
  retryMove,
} from './checkpoint.js';
import { callAgain, pathOfCall } from './direct-path.js';
import { releaseSource, publishLease, unshare } from './lease-message.js';
import { enterPhase, isHeld, persist, type OwnedItem, type OwnerRules } from './owned-item.js';
import { settle } from './settle.js';
import { enterQueue } from './submit.js';
import { pushInputs } from './unreachable.js';

/** Handles a renewal. */
export function handleProgress(
  state: OwnedItem,
  from: string,
  progress: ProgressReport,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (isSource(state, from, progress.epoch)) return handleSourceProgress(state, progress, at, rules);
  if (!holds(state, from, progress.epoch))
    return { state, effects: releaseStranger(state, from, progress.epoch, rules) };
  // Its image is being fetched: the stopped original is still held.
  if (isFreezing(state)) return answer(state, progress.renewal, at, rules);
  if (state.phase === 'lost' && state.spec.process !== undefined && progress.phase === 'running') {
    return refind(state, progress, at, rules);
  }
  if (!isHeld(state.phase)) return { state, effects: [] };
  return handleHolder(state, progress, at, rules);
}

function isFreezing(state: OwnedItem): boolean {
  return state.phase === 'returning' && state.result?.outcome === 'frozen';
}

/** A lost process reports again: it was never offered to another node. */
function refind(state: OwnedItem, progress: ProgressReport, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const found = enterPhase(state, 'running', `${state.receiver ?? ''} is answering again`, at, { order: 'hold' });
  const answered = answer(found, progress.renewal, at, rules);
  return { state: answered.state, effects: [persist(answered.state), ...answered.effects] };
}

function handleHolder(before: OwnedItem, progress: ProgressReport, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const state = recordDirect(before, progress, at);
  if (state.image !== null && state.phase === 'acked' && progress.phase === 'prepared' && state.order === 'hold') {
    return commit(state, progress.renewal, at, rules);
  }
  const applied = applyOrder(state, progress, at, rules);
  const answered = answer(applied.state, progress.renewal, at, rules);
  const pushed = progress.phase === 'fetching' ? pushInputs(state, progress.push_to) : [];
  return { state: answered.state, effects: [...applied.effects, ...answered.effects, ...pushed] };
}

/** Records whether the direct path works. If the receiver cannot call the owner, the owner calls it once. */
function recordDirect(state: OwnedItem, { direct }: ProgressReport, at: Instant): OwnedItem {
  if (direct === undefined || direct === state.direct) return state;
  return { ...state, direct, callAt: direct ? state.callAt : Math.min(state.callAt, at.ms) };
}

/** What the renewal means for the outstanding order. */
function applyOrder(state: OwnedItem, progress: ProgressReport, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.order === 'checkpoint' && progress.refused !== undefined && progress.move === state.move) {
    return handleStay(state, progress, at, rules);
  }
  // The order was obeyed already, or the journal lost it. No other node has the process: it must not stay stopped.
  if (state.phase === 'running' && state.order === 'hold' && progress.phase === 'frozen') {
    return { state: { ...state, order: 'resume', move: progress.move ?? state.move }, effects: [] };
  }
  if (progress.phase !== 'running') return { state, effects: [] };
  if (state.order === 'hold' && progress.wants_move !== undefined && state.spec.command.migrate === 'checkpoint') {
    return orderCheckpoint(state, null, progress.wants_move, at, rules);
  }
  if (state.order === 'resume') return handleStay(state, progress, at, rules);
  if (state.order === 'continue') return confirmMove(state, at, rules);
  if (state.phase === 'running' || state.image !== null) return { state, effects: [] };
  return { state: enterPhase(state, 'running', state.reason, at, { refusals: 0 }), effects: [] };
}

function answer(state: OwnedItem, renewal: number, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (!isHeld(state.phase) && state.phase !== 'returning') return { state, effects: [] };
  const effects = [publishLease(state, state.receiver ?? '', state.epoch, renewal, state.order, rules)];
  // The lease of a cancelled item is not extended: a receiver that does not obey ends it when the lease is over.
  if (state.order === 'cancel') return { state, effects };
  // While outputs or an image are fetched, `repeatAt` is about the fetch, and a renewal does not change it.
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
 * Releases a member that does not hold the epoch that it reports. That includes epochs above ours: either our journal
 * lost them, or they are forged.
 */
export function releaseStranger(state: OwnedItem, from: string, epoch: number, rules: OwnerRules): Effect[] {
  return [publishLease(state, from, epoch, 0, 'gone', rules)];
}

/** Time passed while a receiver holds the item: repeat what was not answered, or give up when the lease is over. */
export function expireLease(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (at.ms >= giveUpTime(leaseEnd(state, rules), rules)) return loseLease(state, at, rules);
  if (at.ms >= state.callAt) return call(state, at, rules);
  if (state.repeatAt === undefined || at.ms < state.repeatAt) return { state, effects: [] };
  const repeated = { ...state, repeatAt: at.ms + rules.repeatMs };
  const again =
    state.order === 'hold'
      ? publishAck(state, rules)
      : publishLease(state, state.receiver ?? '', state.epoch, 0, state.order, rules);
  return { state: repeated, effects: [again] };
}

/** Calls a silent receiver. Its answer comes back over the same connection, even if it cannot call this node. */
function call(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const way = pathOfCall(state);
  const called = { ...state, ...callAgain(at, state.leaseMs) };
  return { state: called, effects: way === undefined ? [] : [publishAck(state, rules, way)] };
}

/** Immediately repeats what was not answered yet. */
export function repeatOrder(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (!isHeld(state.phase) || state.repeatAt === undefined) return { state, effects: [] };
  return expireLease({ ...state, repeatAt: at.ms }, at, rules);
}

/** When the owner may assume that its receiver has stopped, in bus time, which never runs ahead of real time. */
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
 * An epoch ended without a result. A `rerun` item goes back to the queue while it has attempts left. A `once` item may
 * have been started, so it is lost until a person decides; it keeps its receiver, whose late result still counts.
 */
export function giveUpEpoch(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  // A copy that was never allowed to run has done nothing.
  if (state.image !== null && state.phase === 'acked' && !isCommitted(state))
    return retryMove(state, reason, at, rules);
  const given = giveUpRun({ ...state, source: null }, reason, at, rules);
  return { state: given.state, effects: [...given.effects, ...releaseSource(state, rules)] };
}

function giveUpRun(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.spec.retry === 'once') {
    const lost = enterPhase(state, 'lost', `${reason}; it may have been started and must run only once`, at, {
      repeatAt: undefined,
      order: 'hold',
    });
    return { state: lost, effects: [persist(lost)] };
  }
  if (state.attempts >= state.spec.attempts) {
    return settle(state, 'failed', `${reason}; given up after ${state.attempts} starts`, at, rules);
  }
  const avoid = state.receiver === null ? [] : [state.receiver];
  const next = enterQueue(state, reason, at, { avoid, result: null });
  return { state: next, effects: [persist(next), unshare(state)] };
}
