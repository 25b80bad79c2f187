/**
 * Cancels, moves and retries an item. A running item that may be restarted is vacated: stopped, carried to its owner
 * with its directory, and offered again.
 */
import { explain, type Reason } from '../../protocol/reasons.js';
import type { Effect, Instant, Step } from '../effects.js';
import { publish } from '../effects.js';
import { isCommitted, isUnmoved, resumeInPlace, orderCheckpoint, resumeSource } from './checkpoint.js';
import { publishLease } from './lease-message.js';
import type { BundleInfo } from './item-record.js';
import {
  commandOf,
  enterPhase,
  EXTERNAL_EPOCH,
  isHeld,
  isSettled,
  persist,
  type OwnedItem,
  type OwnerRules,
} from './owned-item.js';
import { settle } from './settle.js';
import { restartItem, enterQueue } from './submit.js';

/** Cancels the item: immediately while it waits, through its receiver if one holds it. */
export function cancelItem(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (isSettled(state.phase)) return { state, effects: [] };
  if (isUnmovedProcess(state)) return leaveProcess(state, reason, at, rules);
  // It has run to its end: its outputs are not thrown away.
  if (hasResult(state)) return { state, effects: [] };
  if (!isHeld(state.phase)) return settle(state, 'cancelled', reason, at, rules);
  return orderReceiver({ ...state, reason }, 'cancel', at, rules);
}

/** Whether the command ran to its end and its outputs are on their way. */
export function hasResult(state: OwnedItem): boolean {
  return state.phase === 'returning' && state.result?.outcome === 'exited';
}

/** Whether it is an external process of this machine whose move can still be called off. */
function isUnmovedProcess(state: OwnedItem): boolean {
  if (state.source !== null)
    return state.spec.process !== undefined && state.source.epoch === EXTERNAL_EPOCH && !isCommitted(state);
  return isUnmoved(state);
}

/** Cancelling the move of an external process does not end the process: it goes on as before. */
function leaveProcess(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.source !== null) return resumeSource(state, reason, at, rules);
  if (state.phase === 'returning') return resumeInPlace(state, reason, at, rules);
  return orderReceiver({ ...state, reason }, 'resume', at, rules);
}

/** Why an item cannot be moved now; `undefined` if it can. */
export function findMoveObstacle(state: OwnedItem): Reason | undefined {
  if (isSettled(state.phase)) return explain('ended', state.phase);
  if (state.spec.place === 'here') return explain('here-only');
  if (state.phase === 'lost') return explain('lost');
  if (state.phase === 'returning') return explain('on-its-way-home');
  if (state.order !== 'hold') return explain('being-stopped', state.order);
  if (state.source !== null || (state.image !== null && state.phase === 'acked')) return explain('being-moved');
  if (!isHeld(state.phase)) return undefined;
  if (commandOf(state.spec).migrate !== 'never') return undefined;
  return explain(state.spec.command.migrate === 'never' ? 'never-moves' : 'runs-once');
}

/** Whether a move is under way: the item is being stopped, carried or restored. */
export function isBeingMoved(state: OwnedItem): boolean {
  if (state.order === 'vacate' || state.order === 'checkpoint' || state.source !== null) return true;
  return state.phase === 'returning' && state.result?.outcome === 'frozen';
}

/** Moves the item: a waiting one is offered elsewhere, a held one is vacated or checkpointed first. */
export function moveItem(
  state: OwnedItem,
  to: string | null,
  reason: string,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (findMoveObstacle(state) !== undefined) return { state, effects: [] };
  if (isHeld(state.phase) && state.spec.command.migrate === 'checkpoint') {
    return orderCheckpoint(state, to, reason, at, rules);
  }
  if (isHeld(state.phase))
    return orderReceiver({ ...state, target: to, reason, moveReason: reason }, 'vacate', at, rules);
  const avoid = [...(to === null ? [rules.self] : []), ...(state.source === null ? [] : [state.source.receiver])];
  if (state.phase === 'staging') return { state: { ...state, target: to, avoid }, effects: [] };
  return {
    state: enterPhase(state, 'queued', reason, at, { target: to, avoid, round: null, waitsSince: at.ms }),
    effects: [],
  };
}

function orderReceiver(
  state: OwnedItem,
  order: 'cancel' | 'vacate' | 'resume',
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  const next = { ...state, order, repeatAt: at.ms + rules.repeatMs };
  return {
    state: next,
    effects: [persist(next), publishLease(next, next.receiver ?? '', next.epoch, 0, order, rules)],
  };
}

/** The directory of a vacated item is at its owner: it waits again, and only now is its old receiver released. */
export function handleCarried(
  state: OwnedItem,
  epoch: number,
  bundle: BundleInfo,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (state.phase !== 'returning' || epoch !== state.epoch || state.receiver === null) return { state, effects: [] };
  const from = state.receiver;
  // Its receiver may have vacated it without an order, because it drains.
  const reason = state.order === 'vacate' ? (state.moveReason ?? state.reason) : state.reason;
  const next = enterQueue(state, `moved off ${from}: ${reason}`, at, {
    bundle,
    hops: state.hops + 1,
    avoid: [from],
    // A move is not a failure and does not use up an attempt.
    attempts: Math.max(0, state.attempts - 1),
    result: null,
    movedAt: at.ms,
  });
  const effects: Effect[] = [
    persist(next),
    publishLease(state, from, epoch, 0, 'settled', rules),
    { type: 'Unshare', item: state.spec.id, epoch },
    publish({ kind: 'event', node: rules.self }, { event_type: 'item_moved', item: state.spec.id, from, reason }),
  ];
  return { state: next, effects };
}

/** Starts a lost item again. A person asked for it, so its attempts are counted from 0. */
export function retryItem(state: OwnedItem, reason: string, at: Instant): Step<OwnedItem> {
  if (state.phase !== 'lost') return { state, effects: [] };
  return restartItem(state, reason, at);
}
