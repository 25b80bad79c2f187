/** How long the machine runs: CLOCK_BOOTTIME, which counts its sleep, or what LXCFS makes of it. Linux only. */
import { readFileSync } from 'node:fs';

/** Milliseconds since boot; throws when the file cannot be read, NaN when it does not begin with a number. */
export function readUptimeMs(): number {
  const text = readFileSync('/proc/uptime', 'latin1');
  return Number(/^(\d+(?:\.\d+)?)\s/.exec(text)?.[1]) * 1000;
}
