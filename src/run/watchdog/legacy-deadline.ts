/**
 * Deadlines of runs that a node before this one started: their guardians compare readings of /proc/uptime, or of the
 * wall clock where they cannot read that, with the number in the file. Whenever what they read changed its course,
 * their deadline is written anew.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.js';
import { readUptimeMs } from '../../os/uptime.js';
import { writeReserved, type Deadline } from './deadline.js';
import { RUN_FILES } from '../launch/launcher.js';

/** The readings differ from what time passed by more than this, ms: the deadline is written anew. */
const OFF_MS = 1000;

/** Follows the deadline of such a run; until it is extended its guardian keeps what it has. */
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
      writeReserved(join(directory, RUN_FILES.deadline), text);
      saidEndsAt = endsAt;
      saidLead = lead;
    } catch {
      // Its guardian ends it at its old deadline.
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
    // It knows no doubt: it ends a run instead.
    isDoubted: () => false,
  };
}

/** Whether a deadline is one that such a guardian reads: a number alone. */
export function isLegacyDeadline(directory: string): boolean {
  try {
    return /^\s*\d+\s*$/.test(readFileSync(join(directory, RUN_FILES.deadline), 'latin1'));
  } catch {
    return false;
  }
}

/** Milliseconds as such a guardian reads them now. */
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
