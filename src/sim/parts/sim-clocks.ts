/**
 * The three clocks of a simulated machine, which may lie: the monotonic clock stands still during sleep, the boot clock
 * may jump or fail, the wall clock is off and may be set. The node's own time is derived from them by the production
 * code.
 */
import type { SchedulerLike } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import { createSteadyClock } from '../../clock/steady-clock.js';

/** How a boot clock fails: it cannot be read, returns no number, or always returns the same one. */
export type BootFailure = 'unreadable' | 'garbage' | 'frozen';

/** The clocks of a machine. */
export interface SimClocks {
  /** The machine goes to sleep. */
  sleep(): void;
  wake(): void;
  /** Moves the wall clock, ms. */
  jumpWall(ms: number): void;
  /** Moves the boot clock, ms. */
  jumpBoot(ms: number): void;
  /** Makes the boot clock fail from now on, or repairs it. */
  failBoot(how: BootFailure | undefined): void;
  /**
   * Milliseconds since boot as a watchdog reads them. This way of reading never fails, but the clock may still jump.
   */
  readBoot(): number;
  /** The clock that one boot of a node sees. */
  create(scheduler: SchedulerLike): Clock;
}

/** The wall clock time at which all simulations begin, ms since 1970. */
const WALL_START = Date.UTC(2026, 0, 1);
/** The machines' uptime at that time, ms. */
const UPTIME_AT_START_MS = 10_000_000;

/**
 * Creates the clocks of a machine. `now` stands still during a pause; `wallOffMs` and `drift` are as in
 * machine-power.ts.
 */
export function createSimClocks(now: () => number, wallOffMs: number, drift: number): SimClocks {
  let wallOff = wallOffMs;
  let bootOff = 0;
  let sleptMs = 0;
  let asleepSince: number | undefined;
  let failure: BootFailure | undefined;
  let frozenAt = 0;

  const wallMs = (): number => WALL_START + wallOff + now() * drift;
  const monotonicMs = (): number => UPTIME_AT_START_MS + (asleepSince ?? now()) - sleptMs;
  const bootMs = (): number => {
    if (failure === 'unreadable') throw new Error('EIO: i/o error, read');
    if (failure === 'garbage') return Number.NaN;
    return failure === 'frozen' ? frozenAt : UPTIME_AT_START_MS + now() + bootOff;
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
      frozenAt = UPTIME_AT_START_MS + now() + bootOff;
      failure = how;
    },
    readBoot: () => UPTIME_AT_START_MS + now() + bootOff,
    create: (scheduler) => createSteadyClock({ monotonicMs, bootMs, wallMs }, scheduler),
  };
}
