/** Cleans the state directory of a node that does not run, by what its journal says. */
import { openJournal } from './compose-journal.js';
import type { Config } from './config/config.js';
import { itemKey } from './core/owner/owned-item.js';
import { JournalHeld } from './journal/journal-held.js';
import type { JournalEntry } from './journal/journal.js';
import { sweepState } from './transfer/sweep.js';
import type { Swept } from './transfer/transfer.js';
import { createTrash } from './transfer/trash.js';

/** Sweeps; `held` when a node runs from this directory, and must be asked. */
export async function sweepStopped(config: Config, dryRun: boolean): Promise<Swept | 'held'> {
  let journal;
  try {
    journal = await openJournal(config);
  } catch (error) {
    if (error instanceof JournalHeld) return 'held';
    throw error;
  }
  try {
    const entries = await new Promise<readonly JournalEntry[]>((resolve, reject) => {
      journal.load((error, loaded, faults) => {
        if (error !== undefined) return reject(error);
        // What cannot be read is needed all the same.
        resolve([...loaded, ...faults.map((key) => ({ key, value: undefined }))]);
      });
    });
    const keys = new Set(entries.map(({ key }) => key));
    const needed = {
      item: (item: string) => keys.has(itemKey(item)),
      guest: (name: string) => keys.has(`guest/${name}`),
    };
    return await sweepState(config.state_dir, needed, dryRun, createTrash(config.state_dir));
  } finally {
    await new Promise<void>((resolve) => journal.close(resolve));
  }
}
