/**
 * The mark of the journal: a number that rises while the node runs. It is said with a state only once it is in the journal, so a mark
 * that was said and is not there any more tells that the journal was put back from an older time.
 */
import type { Effect } from '../core/effects.js';

/** The mark. */
export interface JournalMark {
  /** The last one that is safely written. */
  readonly written: number;
  /** Writes the next one. */
  advance(): void;
}

/** What the mark needs. */
export interface MarkParts {
  readonly key: string;
  /** The last one of the run before. */
  readonly last: number;
  take(subject: string, effects: readonly Effect[]): void;
  after(subject: string, done: () => void): void;
}

/** A subject of its own: nothing waits for it. */
const SUBJECT = 'mark';

/** Makes the mark of a run. */
export function createJournalMark({ key, last, take, after }: MarkParts): JournalMark {
  let written = last;
  let asked = last;
  return {
    get written() {
      return written;
    },
    advance: () => {
      // One at a time: a disk that is full must not gather them.
      if (asked !== written) return;
      asked += 1;
      const value = asked;
      take(SUBJECT, [{ type: 'Persist', key, value }]);
      after(SUBJECT, () => {
        written = value;
      });
    },
  };
}
