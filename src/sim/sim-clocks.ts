/**
 * The three clocks of a simulated machine, which may lie: its monotonic clock stands still while it sleeps, its boot clock may jump or
 * not be read, its wall clock is off and may be set. What time a program makes of them is the very code that runs in earnest.
 */
import type { SchedulerLike } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { createSteadyClock } from '../clock/steady-clock.js';

/** How a boot clock fails: it cannot be read, gives no number, or always the same. */
export type BootFailure = 'unreadable' | 'garbage' | 'frozen';

/** The clocks of a machine. */
export interface SimClocks {
  /** The machine goes to sleep, and wakes. */
  sleep(): void;
  wake(): void;
  /** Moves the wall clock, ms. */
  jumpWall(ms: number): void;
  /** Moves the boot clock, ms. */
  jumpBoot(ms: number): void;
  /** From now on the boot clock fails, or is as it was. */
  failBoot(how: BootFailure | undefined): void;
  /** Milliseconds since boot as a guardian reads them: another way than its node, which does not fail, and may jump all the same. */
  readBoot(): number;
  /** The clock that one life of a program sees. */
  create(scheduler: SchedulerLike): Clock;
}

/** When all simulations begin, on the wall clock. */
const WALL_START = Date.UTC(2026, 0, 1);
/** The machine was started before that, ms. */
const UP_MS = 10_000_000;

/** Makes them, on a time `now` that stands still while the whole machine is paused; the wall clock starts off by `wallOffMs` and runs `drift` times as fast as time (1.0 is right). */
export function createSimClocks(now: () => number, wallOffMs: number, drift: number): SimClocks {
  let wallOff = wallOffMs;
  let bootOff = 0;
  let sleptMs = 0;
  let asleepSince: number | undefined;
  let failure: BootFailure | undefined;
  let frozenAt = 0;

  const wallMs = (): number => WALL_START + wallOff + now() * drift;
  const monotonicMs = (): number => UP_MS + (asleepSince ?? now()) - sleptMs;
  const bootMs = (): number => {
    if (failure === 'unreadable') throw new Error('EIO: i/o error, read');
    if (failure === 'garbage') return Number.NaN;
    return failure === 'frozen' ? frozenAt : UP_MS + now() + bootOff;
  };

  return {
    sleep: () => {
      asleepSince ??= now();
    },
    wake: () => {
      sleptMs += now() - (asleepSince ?? now());
      asleepSince = undefined;
    },
    jumpWall: (ms) => {
      wallOff += ms;
    },
    jumpBoot: (ms) => {
      bootOff += ms;
    },
    failBoot: (how) => {
      frozenAt = UP_MS + now() + bootOff;
      failure = how;
    },
    readBoot: () => UP_MS + now() + bootOff,
    create: (scheduler) => createSteadyClock({ monotonicMs, bootMs, wallMs }, scheduler),
  };
}
