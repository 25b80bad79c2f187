/**
 * What the node tells the guardian of a run about its lease: how long it still has, under a new number each time, never
 * a reading of a clock. The guardian counts down by itself (see guard-text.ts), so neither depends on what the other's
 * clock says.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.js';
import { RUN_FILES } from '../launch/launcher.js';
import { padReserved } from '../directory/reserved-files.js';

/** Hundredths of a second that no run lives to see, and still a number to every shell. */
export const WATCHDOG_NEVER = 999_999_999_999_999;

/** The deadline of one run. */
export interface Deadline {
  /**
   * Gives the run `ms` from now; an earlier end changes nothing. It is written with the next look, because most runs
   * end before it and making a file is dear, but at once when the old deadline is near. What comes before a doubt was
   * told of is no answer to it.
   */
  extend(ms: number): void;
  /** To be called every {@link LOOK_MS}: writes what is not written yet, and looks for a guardian in doubt. */
  look(): void;
  /** Writes what is not written yet. */
  flush(): void;
  /** The guardian is in doubt, and nobody has answered it: only it may let the run go on. */
  isDoubted(): boolean;
}

/** How often a run is looked at, ms. */
export const LOOK_MS = 200;
/** A guardian that is due within this time hears of its new deadline at once; several looks long. */
const NEAR_MS = 2000;
/** Each so many looks it is looked for a guardian in doubt. */
const DOUBT_LOOKS = 5;

/** Milliseconds as guardians count. */
export function toWatchdogTime(ms: number): number {
  return Math.min(WATCHDOG_NEVER, Math.max(0, Math.floor(ms / 10)));
}

/**
 * Follows the deadline of a run; `knownMs`: what its guardian was given to begin with, `undefined` when an earlier life
 * did. `doubted` is called when the guardian is in doubt: what it was given until then counts no more.
 */
export function followDeadline(
  directory: string,
  clock: Pick<Clock, 'now'>,
  knownMs: number | undefined,
  doubted: () => void,
): Deadline {
  // What an earlier life gave is not known: until the owner has answered this one, nothing is given.
  let endsAt = knownMs === undefined ? Number.NEGATIVE_INFINITY : clock.now() + knownMs;
  let saidEndsAt = endsAt;
  let doubt = 0;
  let looks = 0;

  /** Whether there is a new one. */
  function hearDoubt(): boolean {
    const present = readDoubt(directory) ?? doubt;
    if (present === doubt) return false;
    doubt = present;
    endsAt = Number.NEGATIVE_INFINITY;
    saidEndsAt = endsAt;
    doubted();
    return true;
  }

  function flush(): void {
    if (endsAt <= saidEndsAt) return;
    try {
      writeDeadline(directory, endsAt - clock.now(), doubt);
      saidEndsAt = endsAt;
    } catch {
      // The guardian then ends the run at its old deadline, which is the safe side.
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
      return doubt !== 0 && saidEndsAt === Number.NEGATIVE_INFINITY;
    },
  };
}

/**
 * Writes a deadline, as a whole: the guardian never reads half of one. On a full disk it is written over in place,
 * which takes no room; a guardian that reads in that moment finds two numbers that differ, and reads again. Throws what
 * the file system does.
 */
export function writeDeadline(directory: string, leftMs: number, doubt: number): void {
  const number = ((readNumber(directory, RUN_FILES.deadline) ?? 0) + 1) % NUMBERS;
  writeReserved(join(directory, RUN_FILES.deadline), `${number} ${toWatchdogTime(leftMs)} ${doubt} ${number}`);
}

/** Only that it differs from the one before counts. */
const NUMBERS = 1_000_000;

/** The number of the guardian's present doubt; 0 when it never was in doubt, `undefined` when it cannot be read. */
export function readDoubt(directory: string): number | undefined {
  return readNumber(directory, RUN_FILES.doubt);
}

/** Writes a reserved file as a whole, or, without room for that, in place. */
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
