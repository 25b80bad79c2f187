/**
 * The state machines of one kind, by name, each with the one timer that it needs. Turns inputs into steps and passes
 * the effects on; it never interprets them.
 */
import type { Subscription } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import type { Effect, Instant, Step } from '../core/effects.js';

/** What the state machines need. */
export interface StateMachinesDeps<S, I> {
  /** Where the states are kept, for stages that are created earlier and read them. Starts empty. */
  readonly states: Map<string, S>;
  readonly clock: Clock;
  step(state: S, input: I, at: Instant): Step<S | null>;
  /** When the state next needs to hear that time has passed, monotonic ms. */
  nextTimerAt(state: S): number | undefined;
  /** The input that reports it. */
  readonly timePassed: I;
  /** Receives the effects of one subject, in order. */
  perform(name: string, effects: readonly Effect[]): void;
  /** Called after each change, with the state before and after; `undefined` for none. */
  changed(name: string, before: S | undefined, after: S | undefined): void;
}

/** State machines by name. */
export interface StateMachines<S, I> {
  readonly states: ReadonlyMap<string, S>;
  /** Adds a state machine whose first step is given. */
  open(name: string, step: Step<S | null>): void;
  /** Feeds an input; false when there is no state of that name. */
  feed(name: string, input: I): boolean;
  /** Drops a state without a step. */
  drop(name: string): void;
  close(): void;
}

/** Longest delay of one timer, ms: Node cannot wait longer than 2^31. */
const TIMER_MS_MAX = 1_000_000_000;

/** Creates an empty set of state machines. */
export function createStateMachines<S, I>(deps: StateMachinesDeps<S, I>): StateMachines<S, I> {
  const { states } = deps;
  const timers = new Map<string, { readonly at: number; readonly subscription: Subscription }>();

  function apply(name: string, before: S | undefined, step: Step<S | null>): void {
    const after = step.state ?? undefined;
    if (after === undefined) states.delete(name);
    else states.set(name, after);
    if (after !== before) deps.changed(name, before, after);
    deps.perform(name, step.effects);
    arm(name, after);
  }

  function feed(name: string, input: I): boolean {
    const state = states.get(name);
    if (state === undefined) return false;
    apply(name, state, deps.step(state, input, instantOf(deps.clock)));
    return true;
  }

  /** An earlier timer is left to fire: it checks again and arms the later one. */
  function arm(name: string, state: S | undefined): void {
    const timer = timers.get(name);
    const wakeAt = state === undefined ? undefined : deps.nextTimerAt(state);
    if (wakeAt === undefined || wakeAt === Number.POSITIVE_INFINITY) return disarm(name);
    if (timer !== undefined && timer.at <= wakeAt) return;
    timer?.subscription.unsubscribe();
    const delay = Math.min(TIMER_MS_MAX, Math.max(0, Math.ceil(wakeAt - deps.clock.now())));
    timers.set(name, { at: wakeAt, subscription: deps.clock.scheduler.schedule(() => handleTimer(name), delay) });
  }

  function handleTimer(name: string): void {
    timers.delete(name);
    const state = states.get(name);
    if (state === undefined) return;
    const wakeAt = deps.nextTimerAt(state);
    if (wakeAt !== undefined && wakeAt <= deps.clock.now()) feed(name, deps.timePassed);
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
      if (before !== undefined) deps.changed(name, before, undefined);
    },
    close: () => {
      for (const name of timers.keys()) disarm(name);
    },
  };
}

/** The current time, on both clocks. */
export function instantOf(clock: Clock): Instant {
  return { ms: clock.now(), ts: new Date(clock.wall()).toISOString() };
}
