/**
 * A machine in the simulation: it runs, it is stalled (a lid that is closed, a long pause), or it is down. Timers of a program
 * on it are its own: they do not ring while it is stalled, ring late when it wakes, and are gone when the program dies. Its
 * clocks may lie (sim-clocks.ts).
 */
import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { createSimClocks, type SimClocks } from './sim-clocks.js';
import type { Timeline } from './timeline.js';

/** A machine that programs run on. */
export interface Host {
  readonly id: string;
  /** Runs `act` as the program of this life: later when the machine is stalled, never when that life is over. */
  enter(life: number, act: () => void): void;
  /** Like {@link enter}, after a while. */
  after(life: number, delayMs: number, act: () => void): () => void;
  /** The number of the present life of its program; 0 while none runs. */
  readonly life: number;
  readonly stalled: boolean;
  /** Begins a life and gives its number. */
  begin(): number;
  /** Ends the present life without a word. */
  end(): void;
  /** Nothing on it goes on, and its clocks stand still until it is resumed. */
  pause(): void;
  /** Its own monotonic clock, ms. */
  now(): number;
  stall(): void;
  resume(): void;
  readonly clocks: SimClocks;
  /** The clock that a program of this life sees. */
  clock(life: number): Clock;
}

/** Times that differ by less are the same, ms: sums of fractions are not exact. */
const CLOCK_STEP_MS = 1e-6;

/** Makes a machine; its wall clock starts off by `wallOffMs` and runs `drift` times as fast as time (1.0 is right). */
export function createHost(id: string, timeline: Timeline, wallOffMs: number, drift: number): Host {
  let lives = 0;
  let life = 0;
  let stalled = false;
  /** How long its clocks have stood still, ms, and since when they do. */
  let stoodMs = 0;
  let standsSince: number | undefined;
  const now = (): number => (standsSince ?? timeline.now()) - stoodMs;
  const clocks = createSimClocks(now, wallOffMs, drift);
  let known: { readonly life: number; readonly clock: Clock } | undefined;
  let waiting: { readonly life: number; readonly act: () => void }[] = [];

  function enter(of: number, act: () => void): void {
    if (of !== life || life === 0) return;
    if (stalled) waiting.push({ life: of, act });
    else act();
  }

  function after(of: number, delayMs: number, act: () => void): () => void {
    let cancelled = false;
    const dueAt = now() + Math.max(0, delayMs);
    let cancel = timeline.after(delayMs, ring);
    function ring(): void {
      enter(of, () => {
        if (cancelled) return;
        // Its clock stood still meanwhile: it is not time yet.
        if (dueAt - now() > CLOCK_STEP_MS) cancel = timeline.after(dueAt - now(), ring);
        else act();
      });
    }
    return () => {
      cancelled = true;
      cancel();
    };
  }

  function resume(): void {
    if (standsSince !== undefined) stoodMs += timeline.now() - standsSince;
    standsSince = undefined;
    stalled = false;
    const due = waiting;
    waiting = [];
    for (const { life: of, act } of due) enter(of, act);
  }

  return {
    id,
    enter,
    after,
    get life() {
      return life;
    },
    get stalled() {
      return stalled;
    },
    begin: () => {
      lives += 1;
      life = lives;
      return life;
    },
    end: () => {
      life = 0;
      waiting = [];
    },
    now,
    pause: () => {
      standsSince ??= timeline.now();
      stalled = true;
    },
    stall: () => {
      stalled = true;
    },
    resume,
    clocks,
    clock: (of) => {
      if (known?.life !== of) {
        const scheduler = createHostScheduler((delayMs, act) => after(of, delayMs, act), now);
        known = { life: of, clock: clocks.create(scheduler) };
      }
      return known.clock;
    },
  };
}

/** What RxJS takes as its scheduler, on the timers of one life. */
function createHostScheduler(
  after: (delayMs: number, act: () => void) => () => void,
  now: () => number,
): SchedulerLike {
  return {
    now,
    schedule: (work, delay, state) => {
      const action = new HostAction(after, work as (this: SchedulerAction<unknown>, state?: unknown) => void);
      return action.schedule(state, delay ?? 0);
    },
  };
}

/** A scheduled piece of work that can schedule itself again, as RxJS expects of an action. */
class HostAction extends Subscription implements SchedulerAction<unknown> {
  readonly #after: (delayMs: number, act: () => void) => () => void;
  readonly #work: (this: SchedulerAction<unknown>, state?: unknown) => void;
  #cancel: (() => void) | undefined;

  constructor(
    after: (delayMs: number, act: () => void) => () => void,
    work: (this: SchedulerAction<unknown>, state?: unknown) => void,
  ) {
    super(() => this.#cancel?.());
    this.#after = after;
    this.#work = work;
  }

  schedule(state?: unknown, delay = 0): Subscription {
    this.#cancel?.();
    this.#cancel = this.#after(delay, () => {
      this.#cancel = undefined;
      this.#work(state);
    });
    return this;
  }
}
