/**
 * Opens the journal of a state directory for the node, and for the commands that change it while no node runs. A
 * directory of a newer version is refused before anything in it is touched. Checking whether a node runs opens nothing.
 */
import type { Config } from '../config/config.js';
import { findJournalHolder } from '../journal/journal-holder.js';
import { migrateJournal } from '../journal/journal-place.js';
import type { Journal } from '../journal/journal.js';
import { createLevelJournal } from '../journal/level-journal.js';
import { checkStateFormat, writeStateFormat } from '../journal/state-format.js';
import { readVersion } from './machine-info.js';

/**
 * Process id of the node that runs from a state directory on this machine; `undefined` if none does or none is known.
 */
export function findRunningNode({ state_dir }: Pick<Config, 'state_dir'>): Promise<number | undefined> {
  return findJournalHolder(state_dir);
}

/**
 * Opens the journal. Rejects with StateFormatError, JournalHeld while another process has it, or a file system error.
 */
export async function openJournal({ state_dir, journal: { sync } }: Config): Promise<Journal> {
  const version = await readVersion();
  checkStateFormat(state_dir, version);
  const journal = await createLevelJournal({ directory: await migrateJournal(state_dir), sync });
  try {
    // Holding the journal means holding the directory, so the format may be written only now.
    writeStateFormat(state_dir, version);
  } catch (error) {
    await new Promise<void>((resolve) => journal.close(resolve));
    throw error;
  }
  return journal;
}
