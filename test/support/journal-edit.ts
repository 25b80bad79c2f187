/** Changes the state directory of an ended node to what an older version would have left. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { journalPath } from '../../src/journal/journal-place.js';
import { createLevelJournal } from '../../src/journal/level-journal.js';
import { formatPath } from '../../src/journal/state-format.js';

/** Removes what eb17494 did not write: the identity record, as a file and in the journal, and the state format. */
export async function ageStateDirectory(stateDir: string): Promise<void> {
  await rm(join(stateDir, 'identity', 'node.json'));
  const journal = await createLevelJournal({ directory: journalPath(stateDir), sync: false });
  await new Promise<void>((resolve, reject) => {
    journal.write([{ key: 'node/id', value: undefined }], (error) => (error === undefined ? resolve() : reject(error)));
  });
  await new Promise<void>((resolve) => journal.close(resolve));
  const former = join(stateDir, 'journal');
  await rm(former, { recursive: true });
  await rename(journalPath(stateDir), former);
  await rm(formatPath(stateDir));
}
