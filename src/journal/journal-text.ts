/**
 * How values are stored: as JSON text. Writing serializes a value at once, so later changes to it have no effect;
 * reading never throws and names the entries that cannot be read.
 */
import { describeError } from '../os/errors.js';
import type { JournalChange, JournalEntry } from './journal.js';

/** A change as it is stored; `text` of `undefined` removes the key. */
export interface StoredChange {
  readonly key: string;
  readonly text: string | undefined;
}

/** The contents of a store. */
export interface Loaded {
  readonly entries: readonly JournalEntry[];
  /** A sentence for each entry that cannot be read. */
  readonly faults: readonly string[];
}

/**
 * Serializes changes.
 *
 * @throws TypeError for a value that is not JSON (a cycle, a BigInt, a function): a programmer error
 */
export function formatChanges(changes: readonly JournalChange[]): readonly StoredChange[] {
  return changes.map(({ key, value }) => ({ key, text: value === undefined ? undefined : formatValue(key, value) }));
}

function formatValue(key: string, value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`the value of ${key} is not JSON: ${typeof value}`);
  return text;
}

/** Parses entries, in the given order; a value may be bytes, which must be UTF-8. */
export function readEntries(stored: Iterable<readonly [string, string | Uint8Array]>): Loaded {
  const entries: JournalEntry[] = [];
  const faults: string[] = [];
  for (const [key, raw] of stored) {
    try {
      const text = typeof raw === 'string' ? raw : new TextDecoder('utf-8', { fatal: true }).decode(raw);
      entries.push({ key, value: JSON.parse(text) as unknown });
    } catch (error) {
      faults.push(`${key} cannot be read: ${describeError(error)}`);
    }
  }
  return { entries, faults };
}
