/**
 * Where the journal is below a state directory. Versions up to eb17494 know no state formats and would open whatever is
 * in `journal`. The journal is therefore in `journal-2`, and `journal` holds a file that makes LevelDB refuse to open
 * it, with an error that tells people what to do. A journal that such a version left is moved once, while no node holds
 * it.
 */
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../os/errors.js';
import { syncDirectory, writeWhole } from '../os/write-whole.js';
import { checkJournalFree } from './level-journal.js';
import { StateFormatError } from './state-format.js';

/** First character of the notice; LevelDB's own `CURRENT` names a file, and no such name begins with it. */
const NOTICE_MARK = '(';
/** LevelDB looks for a file with this name and quotes the name in the error that it does not exist. */
const NOTICE = `${NOTICE_MARK}a newer tritmesh keeps its journal in journal-2: start that one here, or give this one another --state-dir)`;

/** Directory of the journal, once {@link migrateJournal} was run. */
export function journalPath(stateDir: string): string {
  return join(stateDir, 'journal-2');
}

/**
 * Moves the journal of an earlier version to its present place, and returns the directory to open.
 *
 * @throws JournalHeld while a node of that version runs
 * @throws StateFormatError when both places hold a journal: only a person can tell which one to keep
 */
export async function migrateJournal(stateDir: string): Promise<string> {
  const [former, present] = [join(stateDir, 'journal'), journalPath(stateDir)];
  if (isJournal(former)) {
    if (isJournal(present)) throw new StateFormatError(stateDir, reportTwo(former, present));
    await checkJournalFree(former);
    if (!move(former, present)) return former;
  }
  if (!existsSync(join(former, 'CURRENT'))) {
    mkdirSync(former, { recursive: true, mode: 0o700 });
    const notice = join(former, 'CURRENT');
    writeWhole(notice, `${NOTICE}\n`, `${notice}.${process.pid}`);
  }
  return present;
}

/** Whether LevelDB's file `CURRENT` exists and is not the notice. A damaged one counts: LevelDB must report it. */
function isJournal(directory: string): boolean {
  try {
    return !readFileSync(join(directory, 'CURRENT'), 'utf8').startsWith(NOTICE_MARK);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Returns false when the journal must stay where it is because a separate file system is mounted there. */
function move(from: string, to: string): boolean {
  try {
    renameSync(from, to);
  } catch (error) {
    if (hasCode(error, 'EBUSY', 'EXDEV')) return false;
    throw error;
  }
  syncDirectory(join(to, '..'));
  return true;
}

function reportTwo(former: string, present: string): string {
  return (
    `an older tritmesh has kept a journal in ${former} since a newer one moved it to ${present}: ` +
    'move aside the one whose work should not continue'
  );
}
