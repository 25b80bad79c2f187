/**
 * Reads the small files of /proc and /sys. It reads synchronously, since the kernel generates their text from memory
 * (0.02 ms each, a tenth of the cost of the thread pool), and into one shared buffer. It never parses.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { describeError } from '../os/errors.js';

/** Size limit of one file, in bytes; `/proc/stat` of a machine with a thousand CPUs has about 100 KB. */
const BYTES_MAX = 1024 * 1024;
let buffer: Buffer = Buffer.allocUnsafe(16 * 1024);

/** Returns the text of a file; throws an error that names the path if it cannot be read. */
export function readProcFile(path: string): string {
  try {
    return withFile(path, readToEnd);
  } catch (error) {
    throw new Error(`cannot read ${path}: ${describeError(error)}`, { cause: error });
  }
}

/** Returns the text of a file, or `undefined` if it cannot be read, for example because its process has ended. */
export function tryReadProcFile(path: string): string | undefined {
  return attempt(path, readToEnd);
}

/** Returns the text of a file that comes in one read, like `/proc/PID/stat`; `undefined` if it cannot be read. */
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

/** Reads until a read returns no bytes: these files come one page at a time and report no size. */
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
