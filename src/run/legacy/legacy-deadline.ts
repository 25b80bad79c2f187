/**
 * Deadlines of runs started by an older node version. Their watchdogs compare /proc/uptime, or the wall clock where
 * that is unreadable, with the number in the file. Whenever those readings jump, the deadline is rewritten.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.js';
import { readUptimeMs } from '../../os/uptime.js';
import { writeReserved, type Deadline } from '../watchdog/deadline.js';
import { DEADLINE_FILES } from '../directory/reserved-files.js';

/** Rewrite the deadline when the readings are off from the time that passed by more than this, in milliseconds. */
const OFF_MS = 1000;

/** Tracks the deadline of such a run; until it is extended, its watchdog keeps the deadline it has. */
export function followLegacyDeadline(directory: string, clock: Pick<Clock, 'now'>): Deadline {
  let endsAt = Number.NEGATIVE_INFINITY;
  let saidEndsAt = endsAt;
  let saidLead = 0;

  function flush(): void {
    const now = clock.now();
    if (endsAt <= now) return;
    const reading = readLegacyMs();
    const lead = reading - now;
    if (endsAt <= saidEndsAt && Math.abs(lead - saidLead) <= OFF_MS) return;
    try {
      const text = String(Math.floor((reading + endsAt - now) / 10));
      writeReserved(join(directory, DEADLINE_FILES.deadline), text);
      saidEndsAt = endsAt;
      saidLead = lead;
    } catch {
      // The watchdog ends the run at its old deadline.
    }
  }

  return {
    extend: (ms) => {
      const until = clock.now() + ms;
      if (until > endsAt) endsAt = until;
      flush();
    },
    look: flush,
    flush,
    // Such a watchdog is never in doubt: it ends the run instead.
    isDoubted: () => false,
  };
}

/** Whether the run's deadline file is for such a watchdog: a single number. */
export function isLegacyDeadline(directory: string): boolean {
  try {
    return /^\s*\d+\s*$/.test(readFileSync(join(directory, DEADLINE_FILES.deadline), 'latin1'));
  } catch {
    return false;
  }
}

/** The reading that such a watchdog takes now, in milliseconds. */
export function readLegacyMs(): number {
  return tryReadUptimeMs() ?? Math.floor(Date.now() / 1000) * 1000;
}

function tryReadUptimeMs(): number | undefined {
  try {
    const ms = readUptimeMs();
    return Number.isFinite(ms) ? ms : undefined;
  } catch {
    return undefined;
  }
}
