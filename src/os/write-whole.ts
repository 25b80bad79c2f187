/**
 * Writes small files atomically: after a crash or a power loss the file has either its old or its new content. A
 * draft next to it is synced to disk and then renamed over it.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/**
 * Replaces a file atomically (mode 0600). Two processes that may write at once must each pass their own `draft`.
 * Throws the system's errors.
 */
export function writeWhole(path: string, text: string, draft: string = `${path}.new`): void {
  try {
    writeSynced(draft, text, 'w');
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/**
 * Writes a file (mode 0600) and returns once it is synced to disk; until then it may be incomplete. `wx`: it must not
 * exist.
 */
export function writeSynced(path: string, text: string, flags: 'w' | 'wx'): void {
  const file = openSync(path, flags, 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Syncs the entries of a directory to disk; a no-op where directories cannot be synced (Windows). */
export function syncDirectory(path: string): void {
  try {
    const directory = openSync(path, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  } catch {
    // The files are complete either way.
  }
}
