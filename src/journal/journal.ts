/**
 * The port to a node's durable store: what is written survives a crash of the process (and of the machine, when the
 * adapter syncs). Keys are `<kind>/<id>`, values are JSON.
 */

/** One stored entry. */
export interface JournalEntry {
  readonly key: string;
  readonly value: unknown;
}

/** A change; a value of `undefined` removes the key. */
export interface JournalChange {
  readonly key: string;
  readonly value: unknown;
}

/** The durable store of one node. One process at a time holds it. */
export interface Journal {
  /** Reads all entries, in key order. An entry that cannot be read is left out and named in `faults`. */
  load(done: (error: Error | undefined, entries: readonly JournalEntry[], faults: readonly string[]) => void): void;
  /**
   * Writes changes atomically. Writes happen in the order of the calls; those requested while one is under way may be
   * combined. `done` is called once they are safe and never before, or with the error if they are not.
   */
  write(changes: readonly JournalChange[], done: (error?: Error) => void): void;
  /** Waits for pending writes, then releases the store. */
  close(done: () => void): void;
}
