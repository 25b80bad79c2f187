/**
 * A ledger: the state machines of one kind, by name, and the one timer each of them needs. It turns inputs into steps and
 * hands the effects on; what they mean is not its business.
 */
import type { Subscription } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import type { Effect, Instant, Step } from '../core/effects.js';

/** What a ledger is made of. */
export interface LedgerParts<S, I> {
  readonly clock: Clock;
  step(state: S, input: I, at: Instant): Step<S | null>;
  /** When the state next wants to hear that time passed, monotonic ms. */
  wakeTime(state: S): number | undefined;
  /** The input that says so. */
  readonly timePassed: I;
  /** Takes the effects of one subject, in order. */
  perform(name: string, effects: readonly Effect[]): void;
  /** Told after each change: the state before and after; `undefined` for none. */
  changed(name: string, before: S | undefined, after: S | undefined): void;
}

/** State machines by name. */
export interface Ledger<S, I> {
  readonly states: ReadonlyMap<string, S>;
  /** Adds a state machine that begins with a step. */
  open(name: string, step: Step<S | null>): void;
  /** Feeds an input; false when there is no state of that name. */
  feed(name: string, input: I): boolean;
  /** Drops a state without a step. */
  drop(name: string): void;
  close(): void;
}

/** Longest wait of one timer, ms: Node cannot wait longer than 2^31. */
const TIMER_MS_MAX = 1_000_000_000;

/** Makes an empty ledger. */
export function createLedger<S, I>(parts: LedgerParts<S, I>): Ledger<S, I> {
  const states = new Map<string, S>();
  const timers = new Map<string, { readonly at: number; readonly subscription: Subscription }>();

  function apply(name: string, before: S | undefined, step: Step<S | null>): void {
    const after = step.state ?? undefined;
    if (after === undefined) states.delete(name);
    else states.set(name, after);
    if (after !== before) parts.changed(name, before, after);
    parts.perform(name, step.effects);
    arm(name, after);
  }

  function feed(name: string, input: I): boolean {
    const state = states.get(name);
    if (state === undefined) return false;
    apply(name, state, parts.step(state, input, instantOf(parts.clock)));
    return true;
  }

  /** An earlier timer is left to ring: it looks again and arms the later one. */
  function arm(name: string, state: S | undefined): void {
    const timer = timers.get(name);
    const wakeAt = state === undefined ? undefined : parts.wakeTime(state);
    if (wakeAt === undefined || wakeAt === Number.POSITIVE_INFINITY) return disarm(name);
    if (timer !== undefined && timer.at <= wakeAt) return;
    timer?.subscription.unsubscribe();
    const delay = Math.min(TIMER_MS_MAX, Math.max(0, Math.ceil(wakeAt - parts.clock.now())));
    timers.set(name, { at: wakeAt, subscription: parts.clock.scheduler.schedule(() => ring(name), delay) });
  }

  function ring(name: string): void {
    timers.delete(name);
    const state = states.get(name);
    if (state === undefined) return;
    const wakeAt = parts.wakeTime(state);
    if (wakeAt !== undefined && wakeAt <= parts.clock.now()) feed(name, parts.timePassed);
    else arm(name, state);
  }

  function disarm(name: string): void {
    timers.get(name)?.subscription.unsubscribe();
    timers.delete(name);
  }

  return {
    states,
    open: (name, step) => apply(name, undefined, step),
    feed,
    drop: (name) => {
      const before = states.get(name);
      states.delete(name);
      disarm(name);
      if (before !== undefined) parts.changed(name, before, undefined);
    },
    close: () => {
      for (const name of timers.keys()) disarm(name);
    },
  };
}

/** This moment, on both clocks. */
export function instantOf(clock: Clock): Instant {
  return { ms: clock.now(), ts: new Date(clock.wall()).toISOString() };
}
