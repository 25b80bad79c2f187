/**
 * The clock of this machine. It counts on while the machine sleeps and never goes back; the wall clock has no part in it,
 * since setting that (a small board gets its time minutes after boot) would end every lease at once.
 */
import { readFileSync } from 'node:fs';
import { asyncScheduler } from 'rxjs';
import type { Clock } from './clock.js';

/** What the clock reads; each test gives its own. */
export interface ClockReadings {
  /** Milliseconds of a clock that never goes back and may stand still while the machine sleeps. */
  readonly monotonicMs: () => number;
  /** Milliseconds since boot, sleep included, or `undefined` where `monotonicMs` counts sleep itself. */
  readonly uptimeMs: () => number | undefined;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
}

/** How often, at most, uptime is read: 20 µs a time. */
const LOOK_EVERY_MS = 500;
/** Sleep shorter than this is not noticed; /proc/uptime itself is cut to 10 ms. */
const SLEEP_MIN_MS = 1000;

/**
 * Makes the system clock.
 *
 * On Linux the monotonic clock stands still during suspend, so it is compared with /proc/uptime (CLOCK_BOOTTIME) at most
 * every 500 ms, and what it missed is added once that is over a second. All processes of one boot read the same two
 * clocks, so they agree exactly where the machine never slept, and within a second where it did; not in a container whose
 * /proc/uptime counts from its own start (LXCFS), where processes agree only if no sleep lies between their starts.
 * Elsewhere (macOS, Windows) the monotonic clock of Node counts sleep itself and nothing is added.
 */
export function createSystemClock(readings: ClockReadings = systemReadings): Clock {
  const measureSleep = createSleepMeter(readings);
  let sleptMs = 0;
  let lookAtMs = Number.NEGATIVE_INFINITY;
  return {
    now() {
      const nowMs = readings.monotonicMs();
      if (nowMs >= lookAtMs) {
        lookAtMs = nowMs + LOOK_EVERY_MS;
        const measuredMs = measureSleep();
        if (measuredMs > sleptMs + SLEEP_MIN_MS) sleptMs = measuredMs;
      }
      return nowMs + sleptMs;
    },
    wall: readings.wallMs,
    scheduler: asyncScheduler,
  };
}

/** Gives a function that tells how long the machine slept in all: never more than it did, whenever it is interrupted. */
function createSleepMeter({ monotonicMs, uptimeMs }: ClockReadings): () => number {
  const measure = (): number => {
    const uptime = uptimeMs();
    // Read after: an interruption between the two makes the sleep look shorter, not longer.
    return uptime === undefined ? 0 : uptime - monotonicMs();
  };
  const first = measure();
  // Far behind the monotonic clock, uptime is not the machine's but a container's own.
  const base = first < -SLEEP_MIN_MS ? first : 0;
  return () => measure() - base;
}

const systemReadings: ClockReadings = {
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  uptimeMs: process.platform === 'linux' ? readUptimeMs : () => undefined,
  wallMs: () => Date.now(),
};

function readUptimeMs(): number | undefined {
  try {
    const ms = Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000;
    return Number.isFinite(ms) ? ms : undefined;
  } catch {
    return undefined;
  }
}
