/**
 * Writes a small file so that it is there whole or not at all, also after a loss of power: a draft beside it, which is
 * on the disk, takes its place.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/** Replaces a file (mode 0600); of two processes at once each gives a draft of its own. Throws what the system says. */
export function writeWhole(path: string, text: string, draft: string = `${path}.new`): void {
  try {
    writeSynced(draft, text, 'w');
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Writes a file (mode 0600) that is on the disk when this returns, and whole only then; `wx`: there must be none. */
export function writeSynced(path: string, text: string, flags: 'w' | 'wx'): void {
  const file = openSync(path, flags, 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Has the names in a directory on the disk; where it cannot be asked for (Windows), the system sees to it in time. */
export function syncDirectory(path: string): void {
  try {
    const directory = openSync(path, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  } catch {
    // The files are whole either way.
  }
}
