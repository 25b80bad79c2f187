/**
 * Reads what may be gone, or not ours to read, at any moment: the caller gets nothing then, and no error. For small
 * files: it reads them whole, and holds its caller up meanwhile.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { errorCode } from './errors.js';

/** The text of a file; `undefined` when it cannot be read, for whatever reason. */
export function tryReadText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The text of a file; `undefined` when there is none. Throws when it cannot be read, for that says nothing of it. */
export function readTextIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where a link leads; `undefined` when it cannot be read. */
export function tryReadLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** The names in a directory; none when it cannot be read. */
export function tryListNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
