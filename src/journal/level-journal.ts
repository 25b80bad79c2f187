/**
 * The journal on LevelDB: one directory, locked by one process at a time. Without `sync` a write survives a crash of
 * the process (the kernel has it), with `sync` also a crash of the machine. It never reports a write as done before
 * that.
 */
import { mkdir } from 'node:fs/promises';
import { Level } from 'level';
import { describeError, errorCode } from '../os/errors.js';
import { JournalHeld } from './journal-held.js';
import { formatChanges, readEntries, type Loaded, type StoredChange } from './journal-text.js';
import type { Journal } from './journal.js';
import { createWriteQueue } from './write-queue.js';

/** Where the journal is, and how durable a write is. */
export interface LevelJournalOptions {
  /** Created with mode 0700 if it does not exist. */
  readonly directory: string;
  /** Whether each write waits for the disk (fdatasync), which also survives power loss. */
  readonly sync: boolean;
}

type Database = Level<string, Uint8Array>;

/**
 * Opens the journal.
 *
 * @throws JournalHeld when another process has it
 * @throws Error that names the directory when it cannot be opened for another reason
 */
export async function createLevelJournal({ directory, sync }: LevelJournalOptions): Promise<Journal> {
  let database = await openDatabase(directory);
  let isBroken = false;
  let isClosed = false;
  const queue = createWriteQueue(storeChanges);

  async function storeChanges(changes: readonly StoredChange[]): Promise<void> {
    if (isBroken) await reopen();
    try {
      await database.batch(changes.map(describeOperation), { sync });
    } catch (error) {
      isBroken = true;
      throw error;
    }
  }

  // An interrupted write (disk full) leaves half a record in LevelDB's log, which would corrupt whatever is appended
  // after it. Reopening makes LevelDB read the log up to there and start a new one.
  async function reopen(): Promise<void> {
    await database.close();
    database = await openDatabase(directory);
    isBroken = false;
  }

  return {
    load(done) {
      queue.addTask(async () => {
        const { error, entries, faults } = await loadEntries(database, directory);
        queueMicrotask(() => done(error, entries, faults));
      });
    },
    write(changes, done) {
      const stored = formatChanges(changes);
      if (isClosed) queueMicrotask(() => done(new Error(`the journal in ${directory} is closed`)));
      else queue.add(stored, done);
    },
    close(done) {
      isClosed = true;
      queue.addTask(async () => {
        // An error here loses nothing that was promised: every write was answered before.
        await database.close().catch(() => undefined);
        queueMicrotask(done);
      });
    },
  };
}

/**
 * Checks that no process holds an existing journal.
 *
 * @throws JournalHeld when another process has it
 * @throws Error that names the directory when it cannot be opened for another reason
 */
export async function checkJournalFree(directory: string): Promise<void> {
  const database = await openDatabase(directory, false);
  await database.close();
}

async function openDatabase(directory: string, createIfMissing = true): Promise<Database> {
  if (createIfMissing) await mkdir(directory, { recursive: true, mode: 0o700 });
  const database: Database = new Level(directory, { keyEncoding: 'utf8', valueEncoding: 'view', createIfMissing });
  try {
    await database.open();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (errorCode(cause) === 'LEVEL_LOCKED') throw new JournalHeld(directory, { cause });
    throw wrapError(`cannot open the journal in ${directory}`, cause ?? error);
  }
  return database;
}

async function loadEntries(database: Database, directory: string): Promise<Loaded & { readonly error?: Error }> {
  try {
    return readEntries(await database.iterator().all());
  } catch (error) {
    return { error: wrapError(`cannot read the journal in ${directory}`, error), entries: [], faults: [] };
  }
}

type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string };

function describeOperation({ key, text }: StoredChange): Operation {
  return text === undefined ? { type: 'del', key } : { type: 'put', key, value: Buffer.from(text) };
}

function wrapError(what: string, cause: unknown): Error {
  return new Error(`${what}: ${describeError(cause)}`, { cause });
}
