/**
 * Reads files, links and directories that may vanish or be inaccessible at any time and returns nothing instead of an
 * error. For small files only: reads are synchronous and whole.
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { errorCode } from './errors.js';

/** The text of a file; `undefined` when it cannot be read for any reason. */
export function tryReadText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The text at the start of a file, at most `bytesMax` bytes of it; `undefined` when it cannot be read. */
export function tryReadHead(path: string, bytesMax: number): string | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(bytesMax);
      let length = 0;
      // A file below /proc gives a page at a time.
      for (let read = -1; read !== 0 && length < bytesMax; length += read) {
        read = readSync(file, buffer, length, bytesMax - length, null);
      }
      return buffer.toString('utf8', 0, length);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/**
 * The text of a file; `undefined` when it does not exist. Any other error is thrown, because it says nothing about
 * the content.
 */
export function readTextIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The target of a symlink; `undefined` when it cannot be read. */
export function tryReadLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** The entries of a directory; empty when it cannot be read. */
export function tryListNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
