/**
 * The clock of this machine: it only reads the system's clocks; steady-clock.ts decides how to combine them.
 */
import { asyncScheduler } from 'rxjs';
import { readUptimeMs } from '../os/uptime.js';
import type { Clock } from './clock.js';
import { createSteadyClock, type ClockReadings } from './steady-clock.js';

/**
 * Creates the system clock. On Linux the monotonic clock stops during suspend, and /proc/uptime (CLOCK_BOOTTIME, or
 * what LXCFS shows instead) includes it. Elsewhere (macOS, Windows) the monotonic clock of Node.js includes sleep.
 */
export function createSystemClock(readings: ClockReadings = systemReadings): Clock {
  return createSteadyClock(readings, asyncScheduler);
}

const systemReadings: ClockReadings = {
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
  bootMs: process.platform === 'linux' ? readUptimeMs : undefined,
  wallMs: () => Date.now(),
};
