/**
 * Moves a running process by checkpoint. The original is stopped and its image fetched to the owner. A copy is restored
 * elsewhere and stays stopped until the owner has journalled its commitment; the original is ended only once the copy
 * runs. Before the commitment the original may be resumed; after it never, unless the receiver reports that the copy
 * never ran.
 */
import type { ProgressReport, Result } from '../../protocol/work-messages.js';
import { busNow } from '../bus-time.js';
import type { Effect, Instant, Step } from '../effects.js';
import { publish } from '../effects.js';
import { releaseSource, publishLease, unshare } from './lease-message.js';
import type { BundleInfo } from './item-record.js';
import { callLater } from './direct-path.js';
import { enterPhase, EXTERNAL_EPOCH, persist, UNHEARD, type OwnedItem, type OwnerRules } from './owned-item.js';
import { settle } from './settle.js';
import { enterQueue } from './submit.js';

/**
 * Orders the receiver to stop the process with a complete image. The move number fences off orders of earlier moves.
 */
export function orderCheckpoint(
  state: OwnedItem,
  to: string | null,
  reason: string,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  const next: OwnedItem = {
    ...state,
    order: 'checkpoint',
    move: state.move + 1,
    moveReason: reason,
    target: to,
    reason,
    repeatAt: at.ms + rules.repeatMs,
  };
  return {
    state: next,
    effects: [persist(next), publishLease(next, next.receiver ?? '', next.epoch, 0, 'checkpoint', rules)],
  };
}

/** Whether this member holds the stopped original. */
export function isSource(state: OwnedItem, from: string, epoch: number): boolean {
  return state.source?.receiver === from && state.source.epoch === epoch;
}

/** Whether the copy of this epoch may have run: the owner has committed, or knows that it runs. */
export function isCommitted(state: OwnedItem): boolean {
  return state.order === 'continue' || state.phase === 'running';
}

/** The image is at the owner: the item waits for a receiver again while its original stays stopped. */
export function handleImage(state: OwnedItem, epoch: number, bundle: BundleInfo, at: Instant): Step<OwnedItem> {
  if (state.phase !== 'returning' || epoch !== state.epoch || state.receiver === null) return { state, effects: [] };
  const source = { receiver: state.receiver, epoch, leaseMs: state.leaseMs, urls: state.receiverUrls };
  const next = enterQueue(state, `stopped on ${source.receiver} to be moved: ${state.reason}`, at, {
    image: bundle,
    source,
    imageNeed: state.result?.image_need ?? [],
    lastEpoch: Math.max(state.lastEpoch, epoch),
    avoid: [source.receiver],
    target: state.target,
    result: null,
    sourceAnsweredAt: state.answeredAt,
    frozenAt: at.ms,
  });
  return { state: next, effects: [persist(next)] };
}

/** The receiver of the original renews while a copy is prepared: its lease is extended. */
export function handleSourceProgress(
  state: OwnedItem,
  progress: ProgressReport,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  const { source } = state;
  if (source === null) return { state, effects: [] };
  const effects = [publishLease(state, source.receiver, source.epoch, progress.renewal, 'hold', rules)];
  return { state: { ...state, sourceAnsweredAt: busNow(rules, at) }, effects };
}

/** The original is gone: only the image is left, and is offered until a node takes it. */
export function handleSourceLoss(state: OwnedItem, result: Result, rules: OwnerRules): Step<OwnedItem> {
  const { source } = state;
  // A repeated `frozen` only means that it is still stopped.
  if (source === null || result.outcome === 'frozen') return { state, effects: [] };
  const next = { ...state, source: null };
  return {
    state: next,
    effects: [persist(next), publishLease(state, source.receiver, source.epoch, 0, 'settled', rules)],
  };
}

/** The copy is restored and stopped: the owner commits to it. The commitment is journalled BEFORE it is published. */
export function commit(state: OwnedItem, renewal: number, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const next: OwnedItem = {
    ...state,
    order: 'continue',
    answeredAt: busNow(rules, at),
    repeatAt: at.ms + rules.repeatMs,
  };
  return {
    state: next,
    effects: [persist(next), publishLease(next, next.receiver ?? '', next.epoch, renewal, 'continue', rules)],
  };
}

/** The copy runs: only now is the original ended. */
export function confirmMove(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { source } = state;
  const next = enterPhase(state, 'running', state.reason, at, {
    order: 'hold',
    source: null,
    refusals: 0,
    hops: state.hops + 1,
    // A move is not a start and does not use up an attempt.
    attempts: source === null ? state.attempts : Math.max(0, state.attempts - 1),
    movedAt: at.ms,
    repeatAt: undefined,
  });
  const to = next.receiver ?? '';
  const effects: Effect[] = [persist(next), ...releaseSource(state, rules)];
  if (source !== null) effects.push(publishMoved(next, source.receiver, to, rules));
  return { state: next, effects };
}

function publishMoved(state: OwnedItem, from: string, to: string, rules: OwnerRules): Effect {
  const body = { event_type: 'item_moved', item: state.spec.id, from, to, reason: state.moveReason ?? state.reason };
  return publish({ kind: 'event', node: rules.self }, body);
}

/**
 * The move failed and its copy has certainly not run. Another receiver is tried as long as the original may stay
 * stopped, else the original is resumed. Without an original, the image is offered until a node takes it.
 */
export function retryMove(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  if (state.source !== null && at.ms >= state.frozenAt + rules.frozenMs) return resumeSource(state, reason, at, rules);
  const from = state.receiver;
  const next = enterQueue(state, reason, at, {
    avoid: [...new Set([...state.avoid, ...(from === null ? [] : [from]), ...sourceOf(state)])],
    attempts: Math.max(0, state.attempts - 1),
    refusals: state.refusals + 1,
    result: null,
  });
  return { state: next, effects: [persist(next), ...dropCopy(state, rules)] };
}

function sourceOf(state: OwnedItem): string[] {
  return state.source === null ? [] : [state.source.receiver];
}

function dropCopy(state: OwnedItem, rules: OwnerRules): Effect[] {
  if (state.receiver === null || state.source === null) return [];
  return [unshare(state), publishLease(state, state.receiver, state.epoch, 0, 'gone', rules)];
}

/** Gives the move up: the original is held again under its own epoch, and ordered to resume. */
export function resumeSource(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const { source } = state;
  if (source === null) return { state, effects: [] };
  const next = enterPhase(state, 'running', `not moved: ${reason}`, at, {
    receiver: source.receiver,
    receiverUrls: source.urls ?? [],
    ...UNHEARD,
    ...callLater(source.urls ?? [], at, source.leaseMs),
    epoch: source.epoch,
    leaseMs: source.leaseMs,
    order: 'resume',
    source: null,
    round: null,
    target: null,
    avoid: [],
    result: null,
    // The original goes on, so the image is outdated, and its files may be those of the original.
    image: null,
    answeredAt: state.sourceAnsweredAt,
    repeatAt: at.ms + rules.repeatMs,
  });
  const resume = publishLease(next, source.receiver, source.epoch, 0, 'resume', rules);
  const forget: Effect = { type: 'DropImage', item: state.spec.id };
  return {
    state: next,
    effects: [persist(next), ...dropCopy(state, rules), forget, resume, publishStayed(next, rules)],
  };
}

function publishStayed(state: OwnedItem, rules: OwnerRules): Effect {
  const body = { event_type: 'item_stayed', item: state.spec.id, node: state.receiver ?? '', reason: state.reason };
  return publish({ kind: 'event', node: rules.self }, body);
}

/** The image could not be fetched: the process goes on where it is. */
export function resumeInPlace(state: OwnedItem, reason: string, at: Instant, rules: OwnerRules): Step<OwnedItem> {
  const urls = state.receiverUrls ?? [];
  const source = { receiver: state.receiver ?? rules.self, epoch: state.epoch, leaseMs: state.leaseMs, urls };
  // Nothing has been acked since, so the held epoch is that of the source.
  return resumeSource({ ...state, source, receiver: null, sourceAnsweredAt: state.answeredAt }, reason, at, rules);
}

/** The process goes on at its receiver, which refused the move or has resumed it. */
export function handleStay(
  state: OwnedItem,
  progress: ProgressReport,
  at: Instant,
  rules: OwnerRules,
): Step<OwnedItem> {
  const reason = progress.refused === undefined ? state.reason : `not moved: ${progress.refused}`;
  const stayed: OwnedItem = { ...state, order: 'hold', target: null, repeatAt: undefined, reason };
  // An external process that did not move does not remain an item.
  if (isUnmoved(stayed)) return settle(stayed, 'failed', reason, at, rules);
  const effects = progress.refused === undefined ? [persist(stayed)] : [persist(stayed), publishStayed(stayed, rules)];
  return { state: stayed, effects };
}

/** Whether the item is an external process of this machine that has not moved yet. */
export function isUnmoved(state: OwnedItem): boolean {
  return state.spec.process !== undefined && state.receiver !== null && state.epoch === EXTERNAL_EPOCH;
}

/** Time passed while a process is stopped for a move, which must not last long. */
export function expireFrozen(state: OwnedItem, at: Instant, rules: OwnerRules): Step<OwnedItem> | undefined {
  const endsAt = frozenEnd(state, rules);
  if (endsAt === undefined || at.ms < endsAt) return undefined;
  const reason = state.phase === 'acked' ? `${state.receiver ?? ''} did not take it in time` : waitReason(state);
  return resumeSource(state, reason, at, rules);
}

function waitReason(state: OwnedItem): string {
  const [first] = state.blocked;
  return first === undefined ? 'no node took it in time' : `no node took it in time (${first.node}: ${first.reason})`;
}

/** Until when the original stays stopped, monotonic ms; `undefined` if there is none, or if it must not be resumed. */
export function frozenEnd(state: OwnedItem, rules: OwnerRules): number | undefined {
  if (state.source === null || isCommitted(state)) return undefined;
  const patienceMs = state.phase === 'acked' ? rules.preparedMs : rules.frozenMs;
  return Math.max(state.frozenAt + patienceMs, state.notBefore);
}
