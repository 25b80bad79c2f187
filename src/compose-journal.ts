/**
 * Opens the journal of a state directory for whoever changes it: the node, and the commands that do so while no node runs. A directory
 * of a newer version is refused before anything in it is touched. Asking whether a node runs opens nothing.
 */
import type { Config } from './config/config.js';
import { findJournalHolder } from './journal/journal-holder.js';
import { takeUpJournal } from './journal/journal-place.js';
import type { Journal } from './journal/journal.js';
import { createLevelJournal } from './journal/level-journal.js';
import { checkStateFormat, keepStateFormat } from './journal/state-format.js';
import { readVersion } from './machine-facts.js';

/** Process id of the node that runs from a state directory on this machine; `undefined` where none does, or none is known. */
export function findRunningNode({ state_dir }: Pick<Config, 'state_dir'>): Promise<number | undefined> {
  return findJournalHolder(state_dir);
}

/** Opens it. Rejects with StateFormatError, JournalHeld while another process has it, or what the file system says. */
export async function openJournal({ state_dir, journal: { sync } }: Config): Promise<Journal> {
  const version = await readVersion();
  checkStateFormat(state_dir, version);
  const journal = await createLevelJournal({ directory: await takeUpJournal(state_dir), sync });
  try {
    // Who holds the journal holds the directory: only then the format is written down.
    keepStateFormat(state_dir, version);
  } catch (error) {
    await new Promise<void>((resolve) => journal.close(resolve));
    throw error;
  }
  return journal;
}
