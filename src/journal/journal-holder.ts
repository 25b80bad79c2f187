/**
 * Whether a node runs from a state directory on this machine. It inspects the lock on the journal and never takes it.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { journalPath } from './journal-place.js';

/** Process id of the node; `undefined` if none runs, or if the system does not say. */
export async function findJournalHolder(stateDir: string): Promise<number | undefined> {
  try {
    const { ino } = await stat(join(journalPath(stateDir), 'LOCK'));
    return findLockHolder(await readFile('/proc/locks', 'utf8'), ino);
  } catch {
    return undefined;
  }
}

/**
 * Finds the process with a write lock on an inode in the text of /proc/locks, whose lines look like `1: POSIX ADVISORY
 * WRITE 4711 08:01:131 0 EOF`.
 */
export function findLockHolder(locks: string, inode: number): number | undefined {
  for (const line of locks.split('\n')) {
    const [, pid, place] = /(?:POSIX|FLOCK|OFDLCK)\s+\S+\s+WRITE\s+(\d+)\s+(\S+)/.exec(line) ?? [];
    if (place?.split(':')[2] === String(inode) && Number(pid) > 0) return Number(pid);
  }
  return undefined;
}
