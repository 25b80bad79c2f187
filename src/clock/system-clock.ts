/**
 * The clock of this machine: it reads the system's clocks, and what time it is made of them is decided in steady-clock.ts.
 */
import { readFileSync } from 'node:fs';
import { asyncScheduler } from 'rxjs';
import type { Clock } from './clock.js';
import { createSteadyClock, type ClockReadings } from './steady-clock.js';

/**
 * Makes the system clock. On Linux the monotonic clock stands still during suspend, and /proc/uptime (CLOCK_BOOTTIME, or what LXCFS
 * makes of it) tells. Elsewhere (macOS, Windows) the monotonic clock of Node counts sleep itself.
 */
export function createSystemClock(readings: ClockReadings = systemReadings): Clock {
  return createSteadyClock(readings, asyncScheduler);
}

const systemReadings: ClockReadings = {
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  bootMs: process.platform === 'linux' ? readUptimeMs : undefined,
  wallMs: () => Date.now(),
};

/** Reads milliseconds since boot; throws when the file cannot be read, NaN when it does not begin with a number. */
function readUptimeMs(): number {
  const text = readFileSync('/proc/uptime', 'latin1');
  return Number(/^(\d+(?:\.\d+)?)\s/.exec(text)?.[1]) * 1000;
}
