/**
 * An item begins: journalled first, then its inputs are staged, then it waits for a receiver. Also how it is taken up
 * again when its owner was restarted.
 */
import type { Item } from '../../protocol/item.js';
import { busNow } from '../bus-time.js';
import type { Effect, Instant, Step } from '../effects.js';
import { callLater } from './direct.js';
import { bringEffect, sayLease, shareWith } from './order.js';
import { settle } from './settle.js';
import type { ItemSubmitted } from './inputs.js';
import type { BundleFacts } from './item-record.js';
import {
  commandOf,
  enterPhase,
  FOUND_EPOCH,
  isInline,
  isSettled,
  isWaiting,
  persist,
  servedOf,
  UNHEARD,
  type OwnedItem,
  type OwnerRules,
} from './owned-item.js';

/** Makes the state of a submitted item. The `Persist` stands first: nothing is known of it BEFORE it is safe. */
export function submitItem(
  { item, to, reason = 'asked to move on request' }: Omit<ItemSubmitted, 'type'>,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  const fresh: OwnedItem = {
    item,
    phase: 'staging',
    epoch: 0,
    lastEpoch: 0,
    receiver: null,
    claimRenewal: 0,
    attempts: 0,
    hops: 0,
    avoid: [],
    target: null,
    reason: '',
    bundle: null,
    order: 'hold',
    leaseMs: 0,
    result: null,
    history: [],
    round: null,
    answeredAt: busNow(rules, at),
    repeatAt: undefined,
    waitsSince: at.ms,
    refusals: 0,
    notBefore: at.ms,
    movedAt: Number.NEGATIVE_INFINITY,
    way: null,
    blocked: [],
    shun: [],
    ...UNHEARD,
    image: null,
    imageNeed: [],
    source: null,
    move: 0,
    sourceAnsweredAt: busNow(rules, at),
    frozenAt: at.ms,
  };
  if (item.process !== undefined) return submitProcess({ ...fresh, target: to ?? null }, reason, at, rules);
  if (needsStaging(item)) {
    const state = enterPhase(fresh, 'staging', 'submitted', at);
    return { state, effects: [persist(state), stageEffect(state)] };
  }
  const state = enterQueue(fresh, 'submitted', at);
  return { state, effects: [persist(state)] };
}

/**
 * A process that was found running here: it is held by this node like any guest, and asked for its image. The guest is
 * opened by the receiver's stage from the same input.
 */
function submitProcess(fresh: OwnedItem, why: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const state = enterPhase(fresh, 'running', `it runs here and is to be moved: ${why}`, at, {
    moveReason: why,
    receiver: rules.self,
    epoch: FOUND_EPOCH,
    lastEpoch: FOUND_EPOCH,
    leaseMs: rules.processLeaseMs,
    attempts: 1,
    order: 'checkpoint',
    move: 1,
    repeatAt: at.ms + rules.repeatMs,
  });
  return {
    state,
    effects: [persist(state), sayLease(state, rules.self, state.epoch, 0, 'checkpoint', rules)],
  };
}

/** Whether something of the item has to be fetched by its receiver. */
function needsStaging(item: Item): boolean {
  return item.inputs.length > 0 || !isInline(item.command);
}

function stageEffect(state: OwnedItem): Effect {
  return { type: 'Stage', item: state.item.item, inputs: state.item.inputs, command: commandOf(state.item) };
}

/** Waiting begins: asleep if the item is deferred, else in the queue. */
export function enterQueue(state: OwnedItem, reason: string, at: Instant, change: Partial<OwnedItem> = {}): OwnedItem {
  // A process that is stopped to be moved does not go to sleep.
  const sleeps = state.item.deferred && state.image === null && (change.image ?? null) === null;
  return enterPhase(state, sleeps ? 'deferred' : 'queued', reason, at, {
    receiver: null,
    round: null,
    repeatAt: undefined,
    waitsSince: at.ms,
    order: 'hold',
    ...UNHEARD,
    ...change,
  });
}

/** Begins an item once more: what was never staged is staged first. */
export function beginAgain(state: OwnedItem, reason: string, at: Instant): Step<OwnedItem> {
  const change = { attempts: 0, result: null, avoid: [] };
  const isStaged = state.bundle !== null || state.image !== null || !needsStaging(state.item);
  if (isStaged) {
    const queued = enterQueue(state, reason, at, change);
    return { state: queued, effects: [persist(queued)] };
  }
  const staging = enterPhase(state, 'staging', reason, at, { ...change, receiver: null, order: 'hold' });
  return { state: staging, effects: [persist(staging), stageEffect(staging)] };
}

/** The inputs are in the item's own directory and described. */
export function takeStaged(state: OwnedItem, bundle: BundleFacts, image: boolean, at: Instant): Step<OwnedItem> {
  if (image) return { state: state.image === null ? state : { ...state, image: bundle }, effects: [] };
  if (state.phase !== 'staging') return { state: { ...state, bundle }, effects: [] };
  const next = enterQueue(state, 'staged', at, { bundle });
  return { state: next, effects: [persist(next)] };
}

/** The inputs cannot be staged: the item fails with the reason. */
export function failStaging(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (!isWaiting(state.phase)) return { state, effects: [] };
  return settle(state, 'failed', `its inputs could not be staged: ${reason}`, at, rules);
}

/** A sleeping item joins the queue. */
export function wakeItem(state: OwnedItem, reason: string, at: Instant): Step<OwnedItem> {
  if (state.phase !== 'deferred') return { state, effects: [] };
  return { state: enterPhase(state, 'queued', reason, at), effects: [] };
}

/**
 * Takes an item up again after a restart. Its monotonic times are lost, so a held item counts as answered just now: the
 * owner waits a whole lease and its margin before it offers again.
 */
export function resumeItem(state: OwnedItem, rolledBack: boolean, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const again: OwnedItem = { ...state, answeredAt: busNow(rules, at), sourceAnsweredAt: busNow(rules, at) };
  switch (state.phase) {
    case 'staging':
      return { state: rolledBack ? outwait(again, at, rules) : again, effects: [stageEffect(again)] };
    case 'deferred':
    case 'queued':
    case 'offered':
      return { state: requeue(again, rolledBack, at, rules), effects: restage(again) };
    case 'acked':
    case 'running':
      return {
        // Of an ack that the journal does not know, its lease is not known either.
        state: {
          ...(rolledBack ? outwait(again, at, rules) : again),
          leaseMs: again.leaseMs === 0 ? rules.leaseMs : again.leaseMs,
          repeatAt: at.ms + rules.repeatMs,
          ...callLater(again.receiverUrls ?? [], at, again.leaseMs),
        },
        effects: [...restage(again), ...shareAgain(again)],
      };
    // It has run to its end: only what it left has to come home.
    case 'returning': {
      const told =
        again.result === null
          ? []
          : [bringEffect(again, again.receiver ?? '', { result: again.result, sealed: undefined })];
      return { state: again, effects: [...restage(again), ...told] };
    }
    // A person may have it started once more: its inputs are served again then.
    case 'lost':
      return { state: again, effects: restage(again) };
    default:
      return dateEnd(again, rules);
  }
}

/** An end that an older version wrote down has no date that counts: it is kept as if it had ended now. */
function dateEnd(state: OwnedItem, rules: OwnerRules): Step<OwnedItem> {
  if (!isSettled(state.phase) || state.endedRunningMs !== undefined) return { state, effects: [] };
  const dated = { ...state, endedRunningMs: rules.runningMs };
  return { state: dated, effects: [persist(dated)] };
}

/**
 * After a loss of power the journal may not know of an ack that was said. So the item waits until such a lease must be
 * over, and the next epochs are numbered above any that was acked in the writes that were lost.
 */
function requeue(state: OwnedItem, rolledBack: boolean, at: Instant, rules: OwnerRules): OwnedItem {
  if (!rolledBack) return enterQueue(state, 'its owner was restarted', at);
  return enterQueue(
    outwait(state, at, rules),
    state.unsure === true ? state.reason : 'its machine was restarted: a lease that the journal lost may still run',
    at,
  );
}

function outwait(state: OwnedItem, at: Instant, rules: OwnerRules): OwnedItem {
  return {
    ...state,
    lastEpoch: Math.max(state.epoch, state.lastEpoch) + EPOCHS_LOST_MAX,
    notBefore: at.ms + rules.leaseMs + rules.marginMs,
  };
}

/** More epochs than an owner can ack before the system writes its journal to disk by itself (half a minute). */
const EPOCHS_LOST_MAX = 1000;

function restage(state: OwnedItem): Effect[] {
  const command = commandOf(state.item);
  const parts = [...(state.bundle === null ? [] : [false]), ...(state.image === null ? [] : [true])];
  return parts.map((image) => ({ type: 'Restage', item: state.item.item, command, image }));
}

function shareAgain(state: OwnedItem): Effect[] {
  if (servedOf(state) === null || state.receiver === null) return [];
  return [shareWith(state, state.receiver)];
}
