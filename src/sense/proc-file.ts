/**
 * Reads the small files of /proc and /sys: synchronously, since the kernel makes their text from memory (0.02 ms each,
 * a tenth of what the thread pool costs), and through one buffer. It never parses.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { describeError } from '../os/errors.js';

/** Most bytes of one file; `/proc/stat` of a machine with a thousand cpus has about 100 KB. */
const BYTES_MAX = 1024 * 1024;
let buffer: Buffer = Buffer.allocUnsafe(16 * 1024);

/** The text of a file; throws with a sentence when it cannot be read. */
export function readProcFile(path: string): string {
  try {
    return withFile(path, readToEnd);
  } catch (error) {
    throw new Error(`cannot read ${path}: ${describeError(error)}`, { cause: error });
  }
}

/** The text of a file, or `undefined` when it cannot be read: it is not there, or not any more. */
export function tryReadProcFile(path: string): string | undefined {
  return attempt(path, readToEnd);
}

/** The text of a file that comes whole in one read, such as `/proc/PID/stat`; `undefined` when it cannot be read. */
export function tryReadRecord(path: string): string | undefined {
  return attempt(path, readOnce);
}

function attempt(path: string, read: (file: number) => string): string | undefined {
  try {
    return withFile(path, read);
  } catch {
    return undefined;
  }
}

function withFile(path: string, read: (file: number) => string): string {
  const file = openSync(path, 'r');
  try {
    return read(file);
  } finally {
    closeSync(file);
  }
}

function readOnce(file: number): string {
  return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, null));
}

/** Reads until a read gives nothing: these files come a page at a time and never say their size. */
function readToEnd(file: number): string {
  let length = 0;
  for (;;) {
    const count = readSync(file, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.toString('utf8', 0, length);
    length += count;
    if (length === buffer.length) growBuffer();
  }
}

function growBuffer(): void {
  if (buffer.length >= BYTES_MAX) throw new Error(`it has more than ${BYTES_MAX} bytes`);
  const larger = Buffer.allocUnsafe(buffer.length * 2);
  buffer.copy(larger);
  buffer = larger;
}
