/**
 * How a value stands in a store: as JSON text. Writing takes the value as it is at that moment; reading never throws, it
 * names what cannot be read.
 */
import type { JournalChange, JournalEntry } from './journal.js';

/** A change as it is stored; `text` of `undefined` removes the key. */
export interface StoredChange {
  readonly key: string;
  readonly text: string | undefined;
}

/** What was found in a store. */
export interface Loaded {
  readonly entries: readonly JournalEntry[];
  /** A sentence for each entry that cannot be read. */
  readonly faults: readonly string[];
}

/**
 * Turns changes into text.
 *
 * @throws TypeError for a value that is not JSON (a cycle, a BigInt, a function): a mistake of the program
 */
export function formatChanges(changes: readonly JournalChange[]): readonly StoredChange[] {
  return changes.map(({ key, value }) => ({ key, text: value === undefined ? undefined : formatValue(key, value) }));
}

function formatValue(key: string, value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`the value of ${key} is not JSON: ${typeof value}`);
  return text;
}

/** Reads entries in the order they are given; a value may be bytes, which must be UTF-8. */
export function readEntries(stored: Iterable<readonly [string, string | Uint8Array]>): Loaded {
  const entries: JournalEntry[] = [];
  const faults: string[] = [];
  for (const [key, raw] of stored) {
    try {
      const text = typeof raw === 'string' ? raw : new TextDecoder('utf-8', { fatal: true }).decode(raw);
      entries.push({ key, value: JSON.parse(text) as unknown });
    } catch (error) {
      faults.push(`${key} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { entries, faults };
}
