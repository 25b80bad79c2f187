/** Reads the journal of a running node from a copy, since the node has the store locked. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { journalPath } from '../../src/journal/journal-place.js';
import { createLevelJournal } from '../../src/journal/level-journal.js';
import type { JournalEntry } from '../../src/journal/journal.js';

/** The keys of the guests in the journal of a running node. */
export async function listGuestKeys(stateDir: string): Promise<readonly string[]> {
  return keysOf(await readJournalCopy(stateDir), 'guest');
}

/** The keys of one kind. */
export function keysOf(entries: readonly JournalEntry[], kind: 'guest' | 'item'): readonly string[] {
  return entries.map(({ key }) => key).filter((key) => key.startsWith(`${kind}/`));
}

/** Reads the journal of a node that has ended. */
export function readJournalOf(stateDir: string): Promise<readonly JournalEntry[]> {
  return readJournal(journalPath(stateDir));
}

/** Reads what a running node has written. Rejects if the node wrote during the copy: then try again. */
async function readJournalCopy(stateDir: string): Promise<readonly JournalEntry[]> {
  const copy = await mkdtemp(join(tmpdir(), 'tritmesh-journal-'));
  try {
    await cp(journalPath(stateDir), copy, { recursive: true });
    return await readJournal(copy);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function readJournal(directory: string): Promise<readonly JournalEntry[]> {
  const journal = await createLevelJournal({ directory, sync: false });
  try {
    return await new Promise((resolve, reject) => {
      journal.load((error, entries, faults) => {
        if (error !== undefined) reject(error);
        else if (faults.length > 0) reject(new Error(`cannot be read: ${faults.join(', ')}`));
        else resolve(entries);
      });
    });
  } finally {
    await new Promise<void>((resolve) => journal.close(resolve));
  }
}
