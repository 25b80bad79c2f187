/**
 * The life of one throttle: asked, recorded, set, lifted. What was there before is in the journal BEFORE a process is
 * touched, and leaves it only after it was put back. Pure.
 */
import { say, type Effect, type Instant, type Step } from './effects.js';
import type { ThrottleFact, ThrottleRecord } from './throttle-record.js';
import { persistThrottle, type Throttled, type ThrottledRecord, type ThrottleWish } from './throttled.js';

/** A fact about one throttle. */
export type ThrottlingInput =
  | ThrottleFact
  /** It is wanted still. */
  | { readonly type: 'ThrottleWanted'; readonly wish: ThrottleWish }
  /** Its target is light although it leaves much of its share unused. */
  | { readonly type: 'TargetRested'; readonly reason: string }
  /** Its cause is gone. */
  | { readonly type: 'LiftWanted'; readonly reason: string };

/** How long a target that could not be throttled is left alone, ms. */
const RETRY_MS = 60_000;
/**
 * How long a target must rest before it is let go, ms: it may only have waited for something, and on a busy machine it may
 * get less than its share.
 */
const REST_MS = 20_000;

/** Begins a throttle. */
export function askThrottle(wish: ThrottleWish): Step<Throttled> {
  const state: Throttled = {
    wish,
    phase: 'asked',
    record: null,
    told: false,
    reason: '',
    stuck: false,
    faulty: false,
    restingSince: null,
    retryAt: 0,
  };
  return { state, effects: [prepare(state)] };
}

/** Takes up a throttle that an earlier life of the node left: it is set again, so that nothing of it stays stopped. */
export function resumeThrottle({ wish, record }: ThrottledRecord): Step<Throttled> {
  return {
    state: {
      wish,
      phase: 'setting',
      record,
      told: true,
      reason: '',
      stuck: false,
      faulty: false,
      restingSince: null,
      retryAt: 0,
    },
    effects: [{ type: 'SetThrottle', record }],
  };
}

/** The next state, `null` when nothing is left of it; `self` says the events. */
export function stepThrottling(
  state: Throttled,
  input: ThrottlingInput,
  at: Instant,
  self: string,
): Step<Throttled | null> {
  switch (input.type) {
    case 'ThrottleWanted':
      return want(state, input.wish, at);
    case 'ThrottlePrepared':
      return takeRecord(state, input.record);
    case 'ThrottleSet':
      return takeSet(state, self);
    case 'PrepareFailed':
      return failPrepare(state, input.reason, at, self);
    case 'SetFailed':
      return state.phase === 'setting' || state.phase === 'set'
        ? lift({ ...state, faulty: true }, input.reason)
        : keep(state);
    case 'TargetRested':
      return rest(state, input.reason, at);
    case 'LiftWanted':
      return lift(state, input.reason);
    case 'ThrottleUndone':
      return takeUndone(state, at, self);
    case 'UndoFailed':
      return state.phase === 'lifting' ? { state: { ...state, stuck: true }, effects: [] } : keep(state);
  }
}

function keep(state: Throttled): Step<Throttled> {
  return { state, effects: [] };
}

function prepare({ wish, record }: Throttled): Effect {
  const { target, processes, sharePercent } = wish;
  return { type: 'PrepareThrottle', target: { target, processes }, sharePercent, known: record };
}

/** A failed one is tried again when it is time; one that is set takes in processes that came since. */
function want(before: Throttled, wish: ThrottleWish, at: Instant): Step<Throttled | null> {
  const state = before.restingSince === null ? before : { ...before, restingSince: null };
  if (state.phase === 'failed' && at.ms >= state.retryAt) {
    const next: Throttled = { ...state, wish, phase: 'asked', record: null };
    return { state: next, effects: [prepare(next)] };
  }
  // Undoing it failed: what is half undone cannot be set again.
  if (state.phase === 'lifting' && state.stuck) return lift(state, state.reason);
  if (state.phase !== 'set' || state.record === null) return keep(state);
  const known = new Set(state.record.processes.map(({ pid }) => pid));
  if (wish.processes.every(({ pid }) => known.has(pid))) return keep(state);
  const next = { ...state, wish: { ...state.wish, processes: wish.processes } };
  return { state: next, effects: [prepare(next)] };
}

function rest(state: Throttled, reason: string, at: Instant): Step<Throttled | null> {
  if (state.phase !== 'set') return lift(state, reason);
  if (state.restingSince === null) return { state: { ...state, restingSince: at.ms }, effects: [] };
  return at.ms - state.restingSince >= REST_MS ? lift(state, reason) : keep(state);
}

function takeRecord(state: Throttled, record: ThrottleRecord): Step<Throttled> {
  if (state.phase === 'set' && state.record !== null && !hasGrown(state.record, record)) return keep(state);
  if (state.phase !== 'asked' && state.phase !== 'set') return keep(state);
  const phase = state.phase === 'asked' ? 'setting' : 'set';
  return {
    state: { ...state, phase, record },
    effects: [persistThrottle(state.wish, record), { type: 'SetThrottle', record }],
  };
}

function hasGrown(before: ThrottleRecord, after: ThrottleRecord): boolean {
  const known = new Set(before.processes.map(({ pid, start }) => `${pid} ${start}`));
  return after.processes.some(({ pid, start }) => !known.has(`${pid} ${start}`));
}

function takeSet(state: Throttled, self: string): Step<Throttled> {
  if (state.phase !== 'setting') return keep(state);
  const next: Throttled = { ...state, phase: 'set', told: true };
  return { state: next, effects: state.told ? [] : [tellSet(next, self)] };
}

function tellSet(state: Throttled, self: string): Effect {
  return say(eventOf(self), { event_type: 'throttled', ...factsOf(state), reason: state.wish.reason });
}

/** Nothing was touched: one that is set goes on as it is. */
function failPrepare(state: Throttled, reason: string, at: Instant, self: string): Step<Throttled> {
  if (state.phase !== 'asked') return keep(state);
  // Said once, however often it is tried.
  const effects =
    state.reason === reason ? [] : [say(eventOf(self), { event_type: 'throttle_failed', ...factsOf(state), reason })];
  return { state: { ...state, phase: 'failed', reason, retryAt: at.ms + RETRY_MS }, effects };
}

function lift(state: Throttled, reason: string): Step<Throttled | null> {
  if (state.record === null) return { state: null, effects: [] };
  if (state.phase === 'lifting' && !state.stuck) return keep(state);
  return {
    state: { ...state, phase: 'lifting', reason: state.phase === 'lifting' ? state.reason : reason, stuck: false },
    effects: [{ type: 'UndoThrottle', record: state.record }],
  };
}

/** All is as it was before. One that could not be set is not asked for again at once. */
function takeUndone(state: Throttled, at: Instant, self: string): Step<Throttled | null> {
  if (state.phase !== 'lifting') return keep(state);
  const { reason, told, faulty } = state;
  const forget = persistThrottle(state.wish, undefined);
  if (told) {
    const event = say(eventOf(self), { event_type: 'unthrottled', ...factsOf(state), reason });
    return { state: null, effects: [event, forget] };
  }
  // Nobody heard of it.
  if (!faulty) return { state: null, effects: [forget] };
  const event = say(eventOf(self), { event_type: 'throttle_failed', ...factsOf(state), reason });
  const next: Throttled = { ...state, phase: 'failed', record: null, faulty: false, retryAt: at.ms + RETRY_MS };
  return { state: next, effects: [event, forget] };
}

function eventOf(node: string): { readonly kind: 'event'; readonly node: string } {
  return { kind: 'event', node };
}

/** Events are told of the process that stands for the target. */
function factsOf({ wish, record }: Throttled): Readonly<Record<string, unknown>> {
  return {
    pid: wish.pid,
    name: wish.name,
    share_percent: wish.sharePercent,
    ...(record === null ? {} : { method: record.method }),
    ...(wish.item === undefined ? {} : { item: wish.item }),
  };
}
