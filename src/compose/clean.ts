/** Cleans the state directory of a stopped node: its journal decides what is still needed. */
import { openJournal } from './journal.js';
import type { Config } from '../config/config.js';
import { itemKey } from '../core/owner/owned-item.js';
import { JournalHeld } from '../journal/journal-held.js';
import type { JournalEntry } from '../journal/journal.js';
import { sweepState } from '../transfer/workspace/sweep.js';
import type { Swept } from '../transfer/transfer.js';
import { createTrash } from '../transfer/workspace/trash.js';

/** Sweeps the directory. Returns `held` when a node runs from it, which must then be asked to do it. */
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
        // An entry that cannot be read still needs its files.
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
