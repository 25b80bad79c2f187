/**
 * Where the journal lies below a state directory. Versions up to eb17494 know no formats and would take up whatever lies in
 * `journal`; so it lies beside, and in `journal` stands what makes LevelDB refuse, with a sentence where it says what is missing.
 * What such a version left there is moved, once, while no node holds it.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { checkJournalFree } from './level-journal.js';
import { StateFormatError, writeWhole } from './state-format.js';

/** What no journal's file name begins with. */
const NOTICE_MARK = '(';
/** LevelDB looks for a file of this name, and says that it is not there. */
const NOTICE = `${NOTICE_MARK}a newer tritmesh keeps its journal in journal-2: start that one here, or give this one another --state-dir)`;

/** Where the journal lies once it was taken up. */
export function journalPath(stateDir: string): string {
  return join(stateDir, 'journal-2');
}

/**
 * Takes up what an earlier version left, and gives the directory that is to be opened.
 *
 * @throws JournalHeld while a node of that version runs
 * @throws StateFormatError when both places hold a journal: nobody can tell which one is meant
 */
export async function takeUpJournal(stateDir: string): Promise<string> {
  const [former, present] = [join(stateDir, 'journal'), journalPath(stateDir)];
  if (isJournal(former)) {
    if (isJournal(present)) throw new StateFormatError(stateDir, tellOfTwo(former, present));
    await checkJournalFree(former);
    if (!move(former, present)) return former;
  }
  if (!existsSync(join(former, 'CURRENT'))) {
    mkdirSync(former, { recursive: true, mode: 0o700 });
    writeWhole(join(former, 'CURRENT'), `${NOTICE}\n`);
  }
  return present;
}

/** LevelDB's file `CURRENT` names what it goes by. One that is damaged is a journal all the same, which LevelDB refuses. */
function isJournal(directory: string): boolean {
  try {
    return !readFileSync(join(directory, 'CURRENT'), 'utf8').startsWith(NOTICE_MARK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return false;
    throw error;
  }
}

/** False where it must stay: a file system of its own is mounted there. */
function move(from: string, to: string): boolean {
  try {
    renameSync(from, to);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EBUSY' || error.code === 'EXDEV')) return false;
    throw error;
  }
  const parent = openSync(join(to, '..'), 'r');
  try {
    fsyncSync(parent);
  } catch {
    // Some file systems know no such thing for a directory.
  } finally {
    closeSync(parent);
  }
  return true;
}

function tellOfTwo(former: string, present: string): string {
  return (
    `an older tritmesh has kept a journal in ${former} since a newer one moved it to ${present}: ` +
    'move away the one whose work is not to go on'
  );
}
