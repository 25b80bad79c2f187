/**
 * The files of a run that must be writable on a full disk: the watchdog's deadline and doubt, and how the run ended.
 * They are filled before the run starts and overwritten in place, which needs no space where the file system writes
 * in place.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../os/errors.js';
import { RUN_FILES } from '../launch/launcher.js';

/** A file and its initial content: white space, which readers ignore. */
export interface ReservedFile {
  readonly name: string;
  readonly mode: number;
  readonly text: string;
}

/** Longer than a deadline (two numbers of 6 digits, one of 15, a doubt), and than the text of an exit file. */
const LINE_CHARS = 40;
const END_CHARS = 200;

/** All reserved files. */
export const RESERVED_FILES: readonly ReservedFile[] = [
  { name: RUN_FILES.deadline, mode: 0o666, text: padReserved('') },
  { name: RUN_FILES.doubt, mode: 0o666, text: padReserved('') },
  { name: RUN_FILES.exit, mode: 0o666, text: '\n'.repeat(END_CHARS) },
];

/** Creates them in a run directory; existing ones are kept. Throws the file system's errors. */
export function reserveFiles(directory: string): void {
  for (const { name, mode, text } of RESERVED_FILES) {
    try {
      writeFileSync(join(directory, name), text, { mode, flag: 'wx' });
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Pads a line to the length of the reserved line that it overwrites. */
export function padReserved(line: string): string {
  return `${line.padEnd(LINE_CHARS)}\n`;
}
