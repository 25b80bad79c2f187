/**
 * The mark of the journal: a number that rises while the node runs. A state carries it only once it is in the journal,
 * so a published mark that the journal does not know means that the journal was restored from an older copy.
 */
import type { Effect } from '../../core/effects.js';

/** Writes the mark, one step at a time. */
export interface JournalMark {
  /** The last mark that is safely written. */
  readonly written: number;
  /** Writes the next mark, unless a write is already in progress. */
  advance(): void;
}

/** What the mark needs. */
export interface JournalMarkDeps {
  readonly key: string;
  /** The last mark of the boot before. */
  readonly last: number;
  enqueue(subject: string, effects: readonly Effect[]): void;
  after(subject: string, done: () => void): void;
}

/** A subject that nothing else waits for. */
const SUBJECT = 'mark';

/** Creates the mark of one boot. */
export function createJournalMark({ key, last, enqueue, after }: JournalMarkDeps): JournalMark {
  let written = last;
  let requested = last;
  return {
    get written() {
      return written;
    },
    advance: () => {
      // One write at a time: marks must not pile up while the disk is full.
      if (requested !== written) return;
      requested += 1;
      const value = requested;
      enqueue(SUBJECT, [{ type: 'Persist', key, value }]);
      after(SUBJECT, () => {
        written = value;
      });
    },
  };
}
