/**
 * The journal on LevelDB: one directory, held by one process at a time. Without `sync` a write survives the death of the
 * process (it is in the kernel's hands), with `sync` also that of the machine. It never says done before that.
 */
import { mkdir } from 'node:fs/promises';
import { Level } from 'level';
import { JournalHeld } from './journal-held.js';
import { formatChanges, readEntries, type Loaded, type StoredChange } from './journal-text.js';
import type { Journal } from './journal.js';
import { createWriteQueue } from './write-queue.js';

/** Where the journal is and how safe a write is. */
export interface LevelJournalOptions {
  /** Made with mode 0700 when it is not there. */
  readonly directory: string;
  /** Whether each write waits for the disk (fdatasync). */
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

  // A write that was cut (disk full) leaves half a record in LevelDB's log and would spoil what is appended after it. The
  // log is read as a whole only when it is opened, and then a new one begins.
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
        // What it still could not do then, it did not promise: every write was answered before.
        await database.close().catch(() => undefined);
        queueMicrotask(done);
      });
    },
  };
}

/**
 * Looks whether nobody holds a journal that is there.
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
    if (cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED')
      throw new JournalHeld(directory, { cause });
    throw describeError(`cannot open the journal in ${directory}`, cause ?? error);
  }
  return database;
}

async function loadEntries(database: Database, directory: string): Promise<Loaded & { readonly error?: Error }> {
  try {
    return readEntries(await database.iterator().all());
  } catch (error) {
    return { error: describeError(`cannot read the journal in ${directory}`, error), entries: [], faults: [] };
  }
}

type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string };

function describeOperation({ key, text }: StoredChange): Operation {
  return text === undefined ? { type: 'del', key } : { type: 'put', key, value: Buffer.from(text) };
}

function describeError(what: string, cause: unknown): Error {
  return new Error(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
