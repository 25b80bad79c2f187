/**
 * Files of a run that must be writable on a full disk. They are filled before the run starts and overwritten in place,
 * which needs no space where the file system writes in place.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../os/errors.js';

/** The files of a deadline that is handed over by files. */
export const DEADLINE_FILES = {
  /** Remaining time of the run. */
  deadline: 'deadline',
  /** A number: the watchdog does not know how much time has passed, and a deadline must name the number to count. */
  doubt: 'doubt',
} as const;

/** Exit code, the four times of `times`, and the word `end`, as the init of a pid namespace writes them. */
export const EXIT_FILE = 'exit';

/** What the init of a pid namespace is to run. */
export const ORDER_FILE = 'order';

/** Longer than a deadline (two numbers of 6 digits, one of 15, a doubt), and than the text of an exit file. */
const LINE_CHARS = 40;
const END_CHARS = 200;

/** Creates the exit file of a run in a pid namespace; an existing one is kept. Throws the file system's errors. */
export function reserveExit(directory: string): void {
  try {
    writeFileSync(join(directory, EXIT_FILE), '\n'.repeat(END_CHARS), { flag: 'wx' });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** Pads a line to the length of the reserved line that it overwrites. */
export function padReserved(line: string): string {
  return `${line.padEnd(LINE_CHARS)}\n`;
}
