/**
 * The port to a node's durable store: what is written survives the death of the process (and, when the adapter syncs,
 * of the machine). Keys are `<kind>/<id>`, values are JSON.
 */

/** One thing kept. */
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
  /** Gives all entries, in key order. An entry that cannot be read is left out and named in `faults`. */
  load(done: (error: Error | undefined, entries: readonly JournalEntry[], faults: readonly string[]) => void): void;
  /**
   * Writes changes as one: all of them or none. Writes are done in the order they are asked for; those asked for while
   * one is under way may be joined. `done` comes after they are safe, never before, with the error if they are not.
   */
  write(changes: readonly JournalChange[], done: (error?: Error) => void): void;
  /** Waits for what is under way, then lets go of the store. */
  close(done: () => void): void;
}
