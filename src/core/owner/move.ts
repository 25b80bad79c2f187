/**
 * An item is moved or taken back by its owner: cancelled, sent elsewhere, or started once more by a person. A running
 * item that may be restarted is vacated: stopped, carried home with its directory, and offered again.
 */
import type { Effect, Instant, Step } from '../effects.js';
import { say } from '../effects.js';
import { isCommitted, isUnmoved, keepHeld, orderCheckpoint, resumeSource } from './checkpoint.js';
import { sayLease } from './order.js';
import type { BundleFacts } from './item-record.js';
import {
  commandOf,
  enterPhase,
  FOUND_EPOCH,
  isHeld,
  isSettled,
  persist,
  type OwnedItem,
  type OwnerRules,
} from './owned-item.js';
import { settle } from './settle.js';
import { beginAgain, enterQueue } from './submit.js';

/** Takes the item back: at once while it waits, through its receiver when one holds it. */
export function cancelItem(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (isSettled(state.phase)) return { state, effects: [] };
  if (isFound(state)) return leaveProcess(state, reason, at, rules);
  // It has run to its end: what it left is not thrown away.
  if (hasResult(state)) return { state, effects: [] };
  if (!isHeld(state.phase)) return settle(state, 'cancelled', reason, at, rules);
  return orderReceiver({ ...state, reason }, 'cancel', at, rules);
}

/** Whether the command ran to its end, and its outputs are on their way. */
export function hasResult(state: OwnedItem): boolean {
  return state.phase === 'returning' && state.result?.outcome === 'exited';
}

/** Whether it is a process of this machine whose move is under way and can be taken back. */
function isFound(state: OwnedItem): boolean {
  if (state.source !== null)
    return state.item.process !== undefined && state.source.epoch === FOUND_EPOCH && !isCommitted(state);
  return isUnmoved(state);
}

/** What was not started here is not ended by a cancelled move: it goes on as it was. */
function leaveProcess(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.source !== null) return resumeSource(state, reason, at, rules);
  if (state.phase === 'returning') return keepHeld(state, reason, at, rules);
  return orderReceiver({ ...state, reason }, 'resume', at, rules);
}

/** Why an item cannot be moved now; `undefined` if it can. */
export function findMoveObstacle(state: OwnedItem): string | undefined {
  if (isSettled(state.phase)) return `it has ended (${state.phase})`;
  if (state.item.place === 'here') return 'it is to run here only';
  if (state.phase === 'lost') return 'it is lost; retry or cancel it';
  if (state.phase === 'returning') return 'it has run, its outputs are on their way home';
  if (state.order !== 'hold') return `it is being stopped already (${state.order})`;
  if (state.source !== null || (state.image !== null && state.phase === 'acked')) return 'it is being moved already';
  if (!isHeld(state.phase)) return undefined;
  if (commandOf(state.item).migrate !== 'never') return undefined;
  return state.item.command.migrate === 'never'
    ? 'it has started and was submitted with migrate: never'
    : 'it may have started and is to run once';
}

/** Whether a move was ordered and is not over: the item is being stopped, carried, or restored. */
export function isBeingMoved(state: OwnedItem): boolean {
  if (state.order === 'vacate' || state.order === 'checkpoint' || state.source !== null) return true;
  return state.phase === 'returning' && state.result?.outcome === 'frozen';
}

/** Sends the item elsewhere: a waiting one to the asked member, a held one by vacating it. */
export function moveItem(
  state: OwnedItem,
  to: string | null,
  reason: string,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (findMoveObstacle(state) !== undefined) return { state, effects: [] };
  if (isHeld(state.phase) && state.item.command.migrate === 'checkpoint') {
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
  return { state: next, effects: [persist(next), sayLease(next, next.receiver ?? '', next.epoch, 0, order, rules)] };
}

/** The stopped item's directory is home: it waits again, and only now its old receiver is released. */
export function takeCarried(
  state: OwnedItem,
  epoch: number,
  bundle: BundleFacts,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  if (state.phase !== 'returning' || epoch !== state.epoch || state.receiver === null) return { state, effects: [] };
  const from = state.receiver;
  // Its receiver may have stopped it without an order, to let go of what it holds.
  const reason = state.order === 'vacate' ? (state.moveReason ?? state.reason) : state.reason;
  const next = enterQueue(state, `moved off ${from}: ${reason}`, at, {
    bundle,
    hops: state.hops + 1,
    avoid: [from],
    // A move is no failure: it takes no attempt away.
    attempts: Math.max(0, state.attempts - 1),
    result: null,
    movedAt: at.ms,
  });
  const effects: Effect[] = [
    persist(next),
    sayLease(state, from, epoch, 0, 'settled', rules),
    { type: 'Unshare', item: state.item.item, epoch },
    say({ kind: 'event', node: rules.self }, { event_type: 'item_moved', item: state.item.item, from, reason }),
  ];
  return { state: next, effects };
}

/** Starts an item once more that was lost or given up: a person asked, so its attempts begin anew. */
export function retryItem(state: OwnedItem, reason: string, at: Instant): Step<OwnedItem> {
  if (state.phase !== 'lost') return { state, effects: [] };
  return beginAgain(state, reason, at);
}
