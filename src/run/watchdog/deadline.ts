/**
 * How the node tells the process that holds the deadline of a run (supervisor, container watchdog) about its lease: the
 * remaining time, and never a clock reading. They count down on their own, so neither side depends on the other's
 * clock.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.js';
import { DEADLINE_FILES, padReserved } from '../directory/reserved-files.js';

/** A time, in hundredths of a second, that no run reaches and every shell can still represent. */
export const WATCHDOG_NEVER = 999_999_999_999_999;

/** The deadline of one run. */
export interface Deadline {
  /**
   * Extends the deadline to `ms` from now; never shortens it. The file is written on the next {@link Deadline.look},
   * because most runs end before that and creating a file is expensive, but at once when the old deadline is near. An
   * extension made before a doubt was reported does not answer it.
   */
  extend(ms: number): void;
  /** Call it every {@link LOOK_MS}: writes a pending deadline and checks whether the watchdog is in doubt. */
  look(): void;
  /** Writes a pending deadline. */
  flush(): void;
  /** Whether the watchdog is in doubt and has not been answered: only the watchdog may continue the run then. */
  isDoubted(): boolean;
}

/** Interval between checks of a run, in milliseconds. */
export const LOOK_MS = 200;
/** A deadline closer than this, in milliseconds, is renewed at once; several check intervals long. */
const NEAR_MS = 2000;
/** Check for a watchdog in doubt once per this many calls. */
const DOUBT_LOOKS = 5;

/** Converts milliseconds to the watchdog's unit, hundredths of a second. */
export function toWatchdogTime(ms: number): number {
  return Math.min(WATCHDOG_NEVER, Math.max(0, Math.floor(ms / 10)));
}

/** How a deadline reaches the process that holds it, and how a doubt comes back. */
export interface DeadlineStore {
  /** The number of the current doubt, 0 before the first; `undefined` when it cannot be read. */
  readDoubt(): number | undefined;
  /** Hands over a deadline of `leftMs` from now that answers `doubt`. Throws when it could not. */
  write(leftMs: number, doubt: number): void;
}

/** The files in a run directory that the watchdog of a container, or one of an older version, reads and writes. */
export function createFileDeadlines(directory: string): DeadlineStore {
  return {
    readDoubt: () => readDoubt(directory),
    write: (leftMs, doubt) => writeDeadline(directory, leftMs, doubt),
  };
}

/**
 * Tracks the deadline of a run. `knownMs`: what its watchdog was given at the start, `undefined` for a run of an
 * earlier node process. `doubted` is called when the watchdog gets into doubt: earlier extensions no longer count.
 */
export function followDeadline(
  store: DeadlineStore,
  clock: Pick<Clock, 'now'>,
  knownMs: number | undefined,
  doubted: () => void,
): Deadline {
  // Extensions by an earlier node process are unknown: nothing is granted until the owner has answered this one.
  let endsAt = knownMs === undefined ? Number.NEGATIVE_INFINITY : clock.now() + knownMs;
  let saidEndsAt = endsAt;
  // A doubt from before a run was started does not concern it.
  let doubt = knownMs === undefined ? 0 : (store.readDoubt() ?? 0);
  let isUnanswered = false;
  let looks = 0;

  /** Reads the doubt number; true when there is a new doubt. */
  function hearDoubt(): boolean {
    const present = store.readDoubt() ?? doubt;
    if (present === doubt) return false;
    doubt = present;
    isUnanswered = true;
    endsAt = Number.NEGATIVE_INFINITY;
    saidEndsAt = endsAt;
    doubted();
    return true;
  }

  function flush(): void {
    if (endsAt <= saidEndsAt) return;
    try {
      store.write(endsAt - clock.now(), doubt);
      saidEndsAt = endsAt;
      isUnanswered = false;
    } catch {
      // The watchdog then ends the run at its old deadline, which is safe.
    }
  }

  return {
    extend: (ms) => {
      if (hearDoubt()) return;
      const until = clock.now() + ms;
      if (until > endsAt) endsAt = until;
      if (saidEndsAt < clock.now() + NEAR_MS) flush();
    },
    look: () => {
      flush();
      looks += 1;
      if (looks % DOUBT_LOOKS === 0) hearDoubt();
    },
    flush,
    isDoubted: () => {
      hearDoubt();
      return isUnanswered;
    },
  };
}

/**
 * Writes a deadline atomically, so that the watchdog never reads half of one. On a full disk it is overwritten in
 * place; a watchdog reading at that time sees two different numbers and tries again. Throws the file system's errors.
 */
export function writeDeadline(directory: string, leftMs: number, doubt: number): void {
  const number = ((readNumber(directory, DEADLINE_FILES.deadline) ?? 0) + 1) % NUMBERS;
  writeReserved(join(directory, DEADLINE_FILES.deadline), `${number} ${toWatchdogTime(leftMs)} ${doubt} ${number}`);
}

/** The number only has to differ from the previous one. */
const NUMBERS = 1_000_000;

/** The number of the watchdog's current doubt; 0 when it was never in doubt, `undefined` when it cannot be read. */
export function readDoubt(directory: string): number | undefined {
  return readNumber(directory, DEADLINE_FILES.doubt);
}

/**
 * Writes a reserved file atomically, or in place when there is no space for a draft. Throws the file system's errors.
 */
export function writeReserved(file: string, text: string): void {
  const draft = `${file}.new`;
  try {
    writeFileSync(draft, padReserved(text));
    renameSync(draft, file);
  } catch {
    rmSync(draft, { force: true });
    writeFileSync(file, padReserved(text), { flag: 'r+' });
  }
}

function readNumber(directory: string, name: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(join(directory, name), 'latin1'), 10) || 0;
  } catch {
    return undefined;
  }
}
