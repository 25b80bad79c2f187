/**
 * A machine in the simulation: running, stalled (a closed lid, a long pause) or down. Timers belong to one boot of the
 * node on it: they do not fire while the machine is stalled, fire late when it resumes, and are gone when the node
 * ends. The machine's clocks may lie (sim-clocks.ts).
 */
import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import { createSimClocks, type SimClocks } from './sim-clocks.js';
import type { Timeline } from './timeline.js';

/** A machine on which a node runs. */
export interface MachinePower {
  readonly id: string;
  /** Runs `act` within a boot of the node: later while the machine is stalled, never once that boot is over. */
  enter(boot: number, act: () => void): void;
  /** Like {@link enter}, after a delay. Returns the function that cancels it. */
  after(boot: number, delayMs: number, act: () => void): () => void;
  /** The number of the node's current boot; 0 while no node runs. */
  readonly boot: number;
  readonly stalled: boolean;
  /** Begins a boot and returns its number. */
  begin(): number;
  /** Ends the current boot as a crash does. */
  end(): void;
  /** Stops everything on the machine, its clocks included, until it is resumed. */
  pause(): void;
  /** The machine's own time, ms. It stands still during a pause. */
  now(): number;
  stall(): void;
  resume(): void;
  readonly clocks: SimClocks;
  /** The clock that the node of this boot sees. */
  clock(boot: number): Clock;
}

/** Times that differ by less are equal, ms: sums of fractions are not exact. */
const CLOCK_STEP_MS = 1e-6;

/**
 * Creates a machine. Its wall clock starts off by `wallOffMs` and runs `drift` times as fast as virtual time (1 is
 * exact).
 */
export function createMachinePower(id: string, timeline: Timeline, wallOffMs: number, drift: number): MachinePower {
  let boots = 0;
  let boot = 0;
  let stalled = false;
  /** How long its clocks have stood still in total, ms, and since when they stand still now. */
  let stoodMs = 0;
  let standsSince: number | undefined;
  const now = (): number => (standsSince ?? timeline.now()) - stoodMs;
  const clocks = createSimClocks(now, wallOffMs, drift);
  let known: { readonly boot: number; readonly clock: Clock } | undefined;
  let waiting: { readonly boot: number; readonly act: () => void }[] = [];

  function enter(of: number, act: () => void): void {
    if (of !== boot || boot === 0) return;
    if (stalled) waiting.push({ boot: of, act });
    else act();
  }

  function after(of: number, delayMs: number, act: () => void): () => void {
    let cancelled = false;
    const dueAt = now() + Math.max(0, delayMs);
    let cancel = timeline.after(delayMs, ring);
    function ring(): void {
      enter(of, () => {
        if (cancelled) return;
        // The machine's clock stood still meanwhile: the timer is not due yet.
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
    for (const { boot: of, act } of due) enter(of, act);
  }

  return {
    id,
    enter,
    after,
    get boot() {
      return boot;
    },
    get stalled() {
      return stalled;
    },
    begin: () => {
      boots += 1;
      boot = boots;
      return boot;
    },
    end: () => {
      boot = 0;
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
      if (known?.boot !== of) {
        const scheduler = createHostScheduler((delayMs, act) => after(of, delayMs, act), now);
        known = { boot: of, clock: clocks.create(scheduler) };
      }
      return known.clock;
    },
  };
}

/** An RxJS scheduler on the timers of one boot. */
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

/** A scheduled action that can reschedule itself, as RxJS expects. */
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
