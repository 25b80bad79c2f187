/**
 * The clock of the guardian, as a shell can read it too: hundredths of a second of /proc/uptime on Linux, which counts
 * on while the machine sleeps; elsewhere the wall clock in whole seconds (a clock that is set moves the deadline).
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUN_FILES } from './launcher.js';
import { formatReading } from './reserved-files.js';

/** No limit: past every reading, and still a number to every shell. */
export const GUARD_NEVER = 999_999_999_999_999;

/** Reads the clock, in hundredths of a second. */
export function readGuardClock(): number {
  try {
    return Math.round(Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 100);
  } catch {
    return Math.floor(Date.now() / 1000) * 100;
  }
}

/** The reading that is `ms` milliseconds away. */
export function addGuardTime(reading: number, ms: number): number {
  return Math.min(GUARD_NEVER, reading + Math.floor(ms / 10));
}

/** Reads the extended deadline of a run; 0 when it was never extended. */
export function readDeadline(directory: string): number {
  try {
    return Number.parseInt(readFileSync(join(directory, RUN_FILES.deadline), 'latin1'), 10) || 0;
  } catch {
    return 0;
  }
}

/**
 * Writes the deadline of a run, as a whole: the guardian never reads half of one. On a full disk it is written over in place,
 * which takes no room; a guardian that looks in that moment looks again two seconds later. Throws what the file system does.
 */
export function writeDeadline(directory: string, reading: number): void {
  const file = join(directory, RUN_FILES.deadline);
  const draft = `${file}.new`;
  try {
    writeFileSync(draft, formatReading(reading));
    renameSync(draft, file);
  } catch {
    rmSync(draft, { force: true });
    writeFileSync(file, formatReading(reading), { flag: 'r+' });
  }
}
