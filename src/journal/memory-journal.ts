/**
 * The journal in memory: for tests, the simulator and users of the library who need nothing kept. It keeps what a
 * real one keeps, as JSON text, so that nothing is shared with the one who wrote it.
 */
import { formatChanges, readEntries, type StoredChange } from './journal-text.js';
import type { Journal } from './journal.js';

/** What a journal holds, as JSON text by key. It outlives the journal and can be given to the next. */
export type MemoryContents = Map<string, string>;

/** How the journal in memory behaves. */
export interface MemoryJournalOptions {
  /** What it starts with and writes to; empty by default. */
  readonly contents?: MemoryContents;
  /**
   * Does a task later, in the order they are given: a write is stored and told done in one task, so a caller that drops
   * tasks is a crash before the write. A microtask by default.
   */
  readonly later?: (task: () => void) => void;
}

/** A journal that can be told to fail. */
export interface MemoryJournal extends Journal {
  readonly contents: MemoryContents;
  /** Writes asked for from now on fail with this error and store nothing; `undefined` ends that. */
  failWrites(error: Error | undefined): void;
}

/** Makes a journal in memory. */
export function createMemoryJournal({
  contents = new Map<string, string>(),
  later = queueMicrotask,
}: MemoryJournalOptions = {}): MemoryJournal {
  let failure: Error | undefined;
  let isClosed = false;
  return {
    contents,
    failWrites(error) {
      failure = error;
    },
    load(done) {
      later(() => {
        const inOrder = [...contents].toSorted(([left], [right]) => (left < right ? -1 : 1));
        const { entries, faults } = readEntries(inOrder);
        done(undefined, entries, faults);
      });
    },
    write(changes, done) {
      const stored = formatChanges(changes);
      const error = isClosed ? new Error('the journal in memory is closed') : failure;
      later(() => {
        if (error !== undefined) return done(error);
        for (const change of stored) store(contents, change);
        return done();
      });
    },
    close(done) {
      isClosed = true;
      later(done);
    },
  };
}

function store(contents: MemoryContents, { key, text }: StoredChange): void {
  if (text === undefined) contents.delete(key);
  else contents.set(key, text);
}
