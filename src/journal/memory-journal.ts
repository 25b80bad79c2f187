/**
 * The journal in memory: for tests, the simulator, and users of the library who need no persistence. Like a real one it
 * stores JSON text, so it shares no objects with its caller.
 */
import { formatChanges, readEntries, type StoredChange } from './journal-text.js';
import type { Journal } from './journal.js';

/** The contents of a journal, as JSON text by key. They outlive the journal and can be passed to the next one. */
export type MemoryContents = Map<string, string>;

/** Options of the journal in memory. */
export interface MemoryJournalOptions {
  /** The contents it starts with and writes to; empty by default. */
  readonly contents?: MemoryContents;
  /**
   * Runs tasks later, in the order given. A write is stored and reported as done in one task, so dropping tasks
   * simulates a crash before the write. A microtask by default.
   */
  readonly later?: (task: () => void) => void;
}

/** A journal that can be made to fail. */
export interface MemoryJournal extends Journal {
  readonly contents: MemoryContents;
  /** Makes all further writes fail with this error and store nothing; `undefined` ends that. */
  failWrites(error: Error | undefined): void;
}

/** Creates a journal in memory. */
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
