/**
 * The files of a run that must be written when the disk is full: when the guardian is to end it, and how it ended. They
 * have their bytes before the run starts and are written over in place, which takes no room where file systems write in
 * place.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../os/errors.js';
import { RUN_FILES } from '../launch/launcher.js';

/** A file with the bytes it begins with; nothing but white space, which says nothing to who reads it. */
export interface ReservedFile {
  readonly name: string;
  readonly mode: number;
  readonly text: string;
}

/** Longer than a deadline (two numbers of 6 digits, one of 15, a doubt), and than what is written of an end. */
const LINE_CHARS = 40;
const END_CHARS = 200;

/** All of them. */
export const RESERVED_FILES: readonly ReservedFile[] = [
  { name: RUN_FILES.deadline, mode: 0o666, text: padReserved('') },
  { name: RUN_FILES.doubt, mode: 0o666, text: padReserved('') },
  { name: RUN_FILES.exit, mode: 0o666, text: '\n'.repeat(END_CHARS) },
];

/** Makes them in the directory of a run; what is there already stays. Throws what the file system does. */
export function reserveFiles(directory: string): void {
  for (const { name, mode, text } of RESERVED_FILES) {
    try {
      writeFileSync(join(directory, name), text, { mode, flag: 'wx' });
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** A line as long as what it is written over. */
export function padReserved(line: string): string {
  return `${line.padEnd(LINE_CHARS)}\n`;
}
