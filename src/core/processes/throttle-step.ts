/**
 * The state machine of one throttle: asked, recorded, set, lifted. The previous settings are in the journal BEFORE a
 * process is touched, and are removed from it only after they have been restored.
 */
import { publish, type Effect, type Instant, type Step } from '../effects.js';
import type { ThrottleEvent, SavedThrottle } from './saved-throttle.js';
import { persistThrottle, type ThrottleState, type ThrottleEntry, type ThrottleWish } from './throttle-state.js';

/** A fact about one throttle. */
export type ThrottleInput =
  | ThrottleEvent
  /** It is still wanted. */
  | { readonly type: 'ThrottleWanted'; readonly wish: ThrottleWish }
  /** The score of its target fell, and not because of the throttle. */
  | { readonly type: 'TargetRested'; readonly reason: string }
  /** The reason for it is gone. */
  | { readonly type: 'LiftWanted'; readonly reason: string };

/** How long a target that could not be throttled is left alone, ms. */
const RETRY_MS = 60_000;
/**
 * How long a target must rest before the throttle is lifted, ms: it may only have waited for something, and on a busy
 * machine it may get less than its share.
 */
const REST_MS = 20_000;

/** Starts a throttle. */
export function askThrottle(wish: ThrottleWish): Step<ThrottleState> {
  const state: ThrottleState = {
    wish,
    phase: 'asked',
    record: null,
    isReported: false,
    reason: '',
    stuck: false,
    faulty: false,
    restingSince: null,
    retryAt: 0,
  };
  return { state, effects: [prepare(state)] };
}

/** Resumes a throttle of an earlier boot: it is set again, so that none of its processes stays stopped. */
export function resumeThrottle({ wish, record }: ThrottleEntry): Step<ThrottleState> {
  return {
    state: {
      wish,
      phase: 'setting',
      record,
      isReported: true,
      reason: '',
      stuck: false,
      faulty: false,
      restingSince: null,
      retryAt: 0,
    },
    effects: [{ type: 'SetThrottle', record }],
  };
}

/** The next state, `null` once the throttle is gone. Events are published as node `self`. */
export function stepThrottle(
  state: ThrottleState,
  input: ThrottleInput,
  at: Instant,
  self: string,
): Step<ThrottleState | null> {
  switch (input.type) {
    case 'ThrottleWanted':
      return handleWish(state, input.wish, at);
    case 'ThrottlePrepared':
      return handleRecord(state, input.record);
    case 'ThrottleSet':
      return handleSet(state, self);
    case 'PrepareFailed':
      return handlePrepareFailure(state, input.reason, at, self);
    case 'SetFailed':
      return state.phase === 'setting' || state.phase === 'set'
        ? lift({ ...state, faulty: true }, input.reason)
        : unchanged(state);
    case 'TargetRested':
      return handleRest(state, input.reason, at);
    case 'LiftWanted':
      return lift(state, input.reason);
    case 'ThrottleUndone':
      return handleUndone(state, at, self);
    case 'UndoFailed':
      return state.phase === 'lifting' ? { state: { ...state, stuck: true }, effects: [] } : unchanged(state);
  }
}

function unchanged(state: ThrottleState): Step<ThrottleState> {
  return { state, effects: [] };
}

function prepare({ wish, record }: ThrottleState): Effect {
  const { target, processes, sharePercent } = wish;
  return { type: 'PrepareThrottle', target: { target, processes }, sharePercent, known: record };
}

/** A failed throttle is tried again when it is due; a set one is extended to new processes. */
function handleWish(before: ThrottleState, wish: ThrottleWish, at: Instant): Step<ThrottleState | null> {
  const state = before.restingSince === null ? before : { ...before, restingSince: null };
  if (state.phase === 'failed' && at.ms >= state.retryAt) {
    const next: ThrottleState = { ...state, wish, phase: 'asked', record: null };
    return { state: next, effects: [prepare(next)] };
  }
  // Undoing it failed: a throttle that is half undone must not be set again.
  if (state.phase === 'lifting' && state.stuck) return lift(state, state.reason);
  if (state.phase !== 'set' || state.record === null) return unchanged(state);
  const known = new Set(state.record.processes.map(({ pid }) => pid));
  if (wish.processes.every(({ pid }) => known.has(pid))) return unchanged(state);
  const next = { ...state, wish: { ...state.wish, processes: wish.processes } };
  return { state: next, effects: [prepare(next)] };
}

function handleRest(state: ThrottleState, reason: string, at: Instant): Step<ThrottleState | null> {
  if (state.phase !== 'set') return lift(state, reason);
  if (state.restingSince === null) return { state: { ...state, restingSince: at.ms }, effects: [] };
  return at.ms - state.restingSince >= REST_MS ? lift(state, reason) : unchanged(state);
}

function handleRecord(state: ThrottleState, record: SavedThrottle): Step<ThrottleState> {
  if (state.phase === 'set' && state.record !== null && !hasGrown(state.record, record)) return unchanged(state);
  if (state.phase !== 'asked' && state.phase !== 'set') return unchanged(state);
  const phase = state.phase === 'asked' ? 'setting' : 'set';
  return {
    state: { ...state, phase, record },
    effects: [persistThrottle(state.wish, record), { type: 'SetThrottle', record }],
  };
}

function hasGrown(before: SavedThrottle, after: SavedThrottle): boolean {
  const known = new Set(before.processes.map(({ pid, start }) => `${pid} ${start}`));
  return after.processes.some(({ pid, start }) => !known.has(`${pid} ${start}`));
}

function handleSet(state: ThrottleState, self: string): Step<ThrottleState> {
  if (state.phase !== 'setting') return unchanged(state);
  const next: ThrottleState = { ...state, phase: 'set', isReported: true };
  return { state: next, effects: state.isReported ? [] : [reportSet(next, self)] };
}

function reportSet(state: ThrottleState, self: string): Effect {
  return publish(eventOf(self), { event_type: 'throttled', ...factsOf(state), reason: state.wish.reason });
}

/** Nothing was changed; a throttle that is already set stays as it is. */
function handlePrepareFailure(state: ThrottleState, reason: string, at: Instant, self: string): Step<ThrottleState> {
  if (state.phase !== 'asked') return unchanged(state);
  // The same reason is reported once, however often it is tried.
  const effects =
    state.reason === reason
      ? []
      : [publish(eventOf(self), { event_type: 'throttle_failed', ...factsOf(state), reason })];
  return { state: { ...state, phase: 'failed', reason, retryAt: at.ms + RETRY_MS }, effects };
}

function lift(state: ThrottleState, reason: string): Step<ThrottleState | null> {
  if (state.record === null) return { state: null, effects: [] };
  if (state.phase === 'lifting' && !state.stuck) return unchanged(state);
  return {
    state: { ...state, phase: 'lifting', reason: state.phase === 'lifting' ? state.reason : reason, stuck: false },
    effects: [{ type: 'UndoThrottle', record: state.record }],
  };
}

/** The previous settings are restored. A throttle that could not be set is not tried again immediately. */
function handleUndone(state: ThrottleState, at: Instant, self: string): Step<ThrottleState | null> {
  if (state.phase !== 'lifting') return unchanged(state);
  const { reason, isReported, faulty } = state;
  const forget = persistThrottle(state.wish, undefined);
  if (isReported) {
    const event = publish(eventOf(self), { event_type: 'unthrottled', ...factsOf(state), reason });
    return { state: null, effects: [event, forget] };
  }
  // It was never reported.
  if (!faulty) return { state: null, effects: [forget] };
  const event = publish(eventOf(self), { event_type: 'throttle_failed', ...factsOf(state), reason });
  const next: ThrottleState = { ...state, phase: 'failed', record: null, faulty: false, retryAt: at.ms + RETRY_MS };
  return { state: next, effects: [event, forget] };
}

function eventOf(node: string): { readonly kind: 'event'; readonly node: string } {
  return { kind: 'event', node };
}

/** Fields that describe the target in events. */
function factsOf({ wish, record }: ThrottleState): Readonly<Record<string, unknown>> {
  return {
    pid: wish.pid,
    name: wish.name,
    share_percent: wish.sharePercent,
    ...(record === null ? {} : { method: record.method }),
    ...(wish.item === undefined ? {} : { item: wish.item }),
  };
}
