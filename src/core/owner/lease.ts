/**
 * The lease, as the owner keeps it. Each renewal is answered with what the owner wants; the owner offers again only when
 * lease and margin have passed since its last answer, because only an answer can have extended the lease.
 */
import type { Order, Progress } from '../../protocol/messages.js';
import type { Effect, Instant, Step } from '../effects.js';
import { say } from '../effects.js';
import { sayAck } from './ack.js';
import { enterPhase, isHeld, persist, type OwnedItem, type OwnerRules } from './owned-item.js';
import { settle } from './settle.js';
import { enterQueue } from './submit.js';

/** Hears a renewal. */
export function hearProgress(
  state: OwnedItem,
  from: string,
  progress: Progress,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (!holds(state, from, progress.epoch))
    return { state, effects: releaseStranger(state, from, progress.epoch, rules) };
  if (!isHeld(state.phase)) return { state, effects: [] };
  const answered = answer(state, progress.renewal, at, rules);
  if (progress.phase !== 'running' || state.phase === 'running') return answered;
  return { ...answered, state: enterPhase(answered.state, 'running', state.reason, at, { refusals: 0 }) };
}

function answer(state: OwnedItem, renewal: number, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const effects = [sayLease(state, state.receiver ?? '', state.epoch, renewal, state.order, rules)];
  // A cancelled item's lease runs out on purpose: a receiver that does not listen ends it by itself.
  if (state.order === 'cancel') return { state, effects };
  return {
    state: { ...state, answeredAt: at.ms, repeatAt: state.order === 'hold' ? undefined : state.repeatAt },
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

/** Says what the owner wants of a receiver. */
export function sayLease(
  state: OwnedItem,
  to: string,
  epoch: number,
  renewal: number,
  order: Order,
  rules: OwnerRules,
): Effect {
  return say({ kind: 'lease', owner: rules.self, item: state.item.item }, { epoch, to, renewal, order });
}

/** Time passed while a receiver holds the item: repeat what was not answered, or give the lease up. */
export function passLeaseTime(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (at.ms >= leaseEnd(state, rules)) return loseLease(state, at, rules);
  if (state.repeatAt === undefined || at.ms < state.repeatAt) return { state, effects: [] };
  const repeated = { ...state, repeatAt: at.ms + rules.repeatMs };
  const again =
    state.order === 'hold'
      ? sayAck(state, rules)
      : sayLease(state, state.receiver ?? '', state.epoch, 0, state.order, rules);
  return { state: repeated, effects: [again] };
}

/** When the owner may take it that its receiver has stopped, monotonic ms. */
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

/** Takes what was shared with the receiver of this epoch back. */
export function unshare(state: OwnedItem): Effect {
  return { type: 'Unshare', item: state.item.item, epoch: state.epoch };
}
