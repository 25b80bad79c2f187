/**
 * Reads the time since boot: CLOCK_BOOTTIME, which includes suspended time, or whatever LXCFS substitutes. Linux
 * only.
 */
import { readFileSync } from 'node:fs';

/** Milliseconds since boot. Throws when the file cannot be read; NaN when it does not begin with a number. */
export function readUptimeMs(): number {
  const text = readFileSync('/proc/uptime', 'latin1');
  return Number(/^(\d+(?:\.\d+)?)\s/.exec(text)?.[1]) * 1000;
}
