/**
 * Starts an item: it is journalled, its inputs are staged, and it waits for a receiver. Also resumes items after a
 * restart of their owner.
 */
import type { Item } from '../../protocol/item.js';
import { busNow } from '../bus-time.js';
import type { Effect, Instant, Step } from '../effects.js';
import { callLater } from './direct-path.js';
import { fetchOutputs, publishLease, shareWith } from './lease-message.js';
import { settle } from './settle.js';
import type { ItemSubmitted } from './inputs.js';
import type { BundleInfo } from './item-record.js';
import {
  commandOf,
  enterPhase,
  EXTERNAL_EPOCH,
  isInline,
  isSettled,
  isWaiting,
  persist,
  servedOf,
  UNHEARD,
  type OwnedItem,
  type OwnerRules,
} from './owned-item.js';

/** Creates the state of a submitted item. `Persist` comes first: nothing is published BEFORE that write is safe. */
export function submitItem(
  { item, to, reason = 'asked to move on request' }: Omit<ItemSubmitted, 'type'>,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  const fresh: OwnedItem = {
    spec: item,
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
    code: undefined,
    excludedForMove: [],
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
 * Submits an external process of this machine: this node holds it like any guest, and orders its checkpoint. The guest
 * itself is created by the receiver's stage from the same input.
 */
function submitProcess(fresh: OwnedItem, why: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const state = enterPhase(fresh, 'running', `it runs here and is to be moved: ${why}`, at, {
    moveReason: why,
    receiver: rules.self,
    epoch: EXTERNAL_EPOCH,
    lastEpoch: EXTERNAL_EPOCH,
    leaseMs: rules.processLeaseMs,
    attempts: 1,
    order: 'checkpoint',
    move: 1,
    repeatAt: at.ms + rules.repeatMs,
  });
  return {
    state,
    effects: [persist(state), publishLease(state, rules.self, state.epoch, 0, 'checkpoint', rules)],
  };
}

/** Whether its receiver has to fetch anything. */
function needsStaging(item: Item): boolean {
  return item.inputs.length > 0 || !isInline(item.command);
}

function stageEffect(state: OwnedItem): Effect {
  return { type: 'Stage', item: state.spec.id, inputs: state.spec.inputs, command: commandOf(state.spec) };
}

/** The item starts to wait: deferred if it was submitted so, else in the queue. */
export function enterQueue(state: OwnedItem, reason: string, at: Instant, change: Partial<OwnedItem> = {}): OwnedItem {
  // A process that is stopped for a move is not deferred again.
  const isDeferred = state.spec.deferred && state.image === null && (change.image ?? null) === null;
  return enterPhase(state, isDeferred ? 'deferred' : 'queued', reason, at, {
    receiver: null,
    round: null,
    repeatAt: undefined,
    waitsSince: at.ms,
    order: 'hold',
    ...UNHEARD,
    ...change,
  });
}

/** Starts an item again; if it was never staged, that comes first. */
export function restartItem(state: OwnedItem, reason: string, at: Instant): Step<OwnedItem> {
  const change = { attempts: 0, result: null, avoid: [] };
  const isStaged = state.bundle !== null || state.image !== null || !needsStaging(state.spec);
  if (isStaged) {
    const queued = enterQueue(state, reason, at, change);
    return { state: queued, effects: [persist(queued)] };
  }
  const staging = enterPhase(state, 'staging', reason, at, { ...change, receiver: null, order: 'hold' });
  return { state: staging, effects: [persist(staging), stageEffect(staging)] };
}

/** The inputs are in the item's own directory, and their manifest is built. */
export function handleStaged(state: OwnedItem, bundle: BundleInfo, image: boolean, at: Instant): Step<OwnedItem> {
  if (image) return { state: state.image === null ? state : { ...state, image: bundle }, effects: [] };
  if (state.phase !== 'staging') return { state: { ...state, bundle }, effects: [] };
  const next = enterQueue(state, 'staged', at, { bundle });
  return { state: next, effects: [persist(next)] };
}

/** The inputs cannot be staged: the item fails. */
export function handleStageFailure(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (!isWaiting(state.phase)) return { state, effects: [] };
  return settle(state, 'failed', `its inputs could not be staged: ${reason}`, at, rules);
}

/** A deferred item joins the queue. */
export function wakeItem(state: OwnedItem, reason: string, at: Instant): Step<OwnedItem> {
  if (state.phase !== 'deferred') return { state, effects: [] };
  return { state: enterPhase(state, 'queued', reason, at), effects: [] };
}

/**
 * Resumes an item after a restart. Its monotonic times are lost, so a held item counts as answered just now: the owner
 * waits a full lease and margin before it offers the item again.
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
        // If the journal lost the ack, the length of the lease is lost, too.
        state: {
          ...(rolledBack ? outwait(again, at, rules) : again),
          leaseMs: again.leaseMs === 0 ? rules.leaseMs : again.leaseMs,
          repeatAt: at.ms + rules.repeatMs,
          ...callLater(again.receiverUrls ?? [], at, again.leaseMs),
        },
        effects: [...restage(again), ...shareAgain(again)],
      };
    // It has run to its end: only its outputs have to be fetched.
    case 'returning': {
      const fetches =
        again.result === null
          ? []
          : [fetchOutputs(again, { from: again.receiver ?? '', result: again.result, sealed: undefined })];
      return { state: again, effects: [...restage(again), ...fetches] };
    }
    // A person may retry it, which needs its inputs.
    case 'lost':
      return { state: again, effects: restage(again) };
    default:
      return dateEnd(again, rules);
  }
}

/** An end that an earlier version recorded has no running time: it is treated as if the item had ended now. */
function dateEnd(state: OwnedItem, rules: OwnerRules): Step<OwnedItem> {
  if (!isSettled(state.phase) || state.endedRunningMs !== undefined) return { state, effects: [] };
  const dated = { ...state, endedRunningMs: rules.runningMs };
  return { state: dated, effects: [persist(dated)] };
}

/**
 * After a power loss the journal may lack an ack that was published. The item therefore waits until such a lease must
 * be over, and its next epochs are above any that can have been acked in the lost writes.
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

/** More epochs than an owner can ack in the half minute until the system writes the journal to disk on its own. */
const EPOCHS_LOST_MAX = 1000;

function restage(state: OwnedItem): Effect[] {
  const command = commandOf(state.spec);
  const images = [...(state.bundle === null ? [] : [false]), ...(state.image === null ? [] : [true])];
  return images.map((image) => ({ type: 'Restage', item: state.spec.id, command, image }));
}

function shareAgain(state: OwnedItem): Effect[] {
  if (servedOf(state) === null || state.receiver === null) return [];
  return [shareWith(state, state.receiver)];
}
