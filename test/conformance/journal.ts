/**
 * What every adapter of the Journal port must do. Each adapter's test runs this suite with a harness that can open it
 * repeatedly on the same store.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal, JournalChange, JournalEntry } from '../../src/journal/journal.js';

/** One store, and access to it. */
export interface JournalHarness {
  /** Opens the journal again on the same store, as the next boot does. */
  open(): Promise<Journal>;
  /** Writes bytes under a key directly into the store while no journal is open. */
  spoil(key: string, text: string): Promise<void>;
  /** Removes the store. */
  remove(): Promise<void>;
}

/** Runs the suite. */
export function testJournal(name: string, createHarness: () => Promise<JournalHarness>): void {
  describe(`${name} as a journal`, () => {
    let harness: JournalHarness;
    beforeEach(async () => {
      harness = await createHarness();
    });
    afterEach(async () => {
      await harness.remove();
    });

    it('is empty at first', async () => {
      expect(await readAll(harness)).toEqual({ entries: [], faults: [] });
    });

    it('returns what was written, in key order, before and after it is opened again', async () => {
      const journal = await harness.open();
      const item = { phase: 'acked', epoch: 3, to: 'beta', note: 'ü', nested: { list: [1, null, true] } };
      await write(journal, [change('item/b', item), change('guest/a', 1), change('item/a', 'text')]);
      const expected = [entry('guest/a', 1), entry('item/a', 'text'), entry('item/b', item)];
      expect((await load(journal)).entries).toEqual(expected);
      await close(journal);
      expect(await readAll(harness)).toEqual({ entries: expected, faults: [] });
    });

    it('removes a key whose value is undefined, and keeps one whose value is null', async () => {
      const journal = await harness.open();
      await write(journal, [change('item/a', 1), change('item/b', 1)]);
      await write(journal, [change('item/a', undefined), change('item/b', null), change('item/never', undefined)]);
      await close(journal);
      expect((await readAll(harness)).entries).toEqual([entry('item/b', null)]);
    });

    it('performs writes in the order of the calls, and reports them done in that order', async () => {
      const journal = await harness.open();
      const told: number[] = [];
      const writes = Array.from({ length: 50 }, (_, index) =>
        write(journal, [change('item/same', index), change(`item/${index}`, index)]).then(() => told.push(index)),
      );
      await Promise.all(writes);
      expect(told).toEqual(Array.from({ length: 50 }, (_, index) => index));
      const { entries } = await load(journal);
      expect(entries.find(({ key }) => key === 'item/same')?.value).toBe(49);
      expect(entries).toHaveLength(51);
      await close(journal);
    });

    it('accepts writes while one is under way', async () => {
      const journal = await harness.open();
      const first = write(journal, [change('item/a', 1)]);
      await Promise.resolve();
      const second = write(journal, [change('item/a', 2)]);
      await first;
      const third = write(journal, [change('item/b', 3)]);
      await Promise.all([second, third]);
      await close(journal);
      expect((await readAll(harness)).entries).toEqual([entry('item/a', 2), entry('item/b', 3)]);
    });

    it('lets the last change to a key win within one write', async () => {
      const journal = await harness.open();
      await write(journal, [change('item/a', 1), change('item/a', undefined), change('item/a', 2)]);
      expect((await load(journal)).entries).toEqual([entry('item/a', 2)]);
      await close(journal);
    });

    it('answers a write of nothing', async () => {
      const journal = await harness.open();
      await write(journal, []);
      await close(journal);
    });

    it('writes a value as it was at the call, whatever happens to it later', async () => {
      const journal = await harness.open();
      const value = { epoch: 1 };
      const written = write(journal, [change('item/a', value)]);
      value.epoch = 2;
      await written;
      expect((await load(journal)).entries).toEqual([entry('item/a', { epoch: 1 })]);
      await close(journal);
    });

    it('never calls done before the call has returned', async () => {
      const journal = await harness.open();
      let isReturned = false;
      const wasReturned = new Promise<boolean>((resolve) => {
        journal.write([change('item/a', 1)], () => resolve(isReturned));
      });
      isReturned = true;
      expect(await wasReturned).toBe(true);
      await close(journal);
    });

    it('includes in a load what was written before it', async () => {
      const journal = await harness.open();
      const written = write(journal, [change('item/a', 1)]);
      expect((await load(journal)).entries).toEqual([entry('item/a', 1)]);
      await written;
      await close(journal);
    });

    it('leaves out an entry that cannot be read, and names it', async () => {
      const journal = await harness.open();
      await write(journal, [change('item/a', 1), change('item/c', 3)]);
      await close(journal);
      await harness.spoil('item/b', '{"cut":');
      const { entries, faults } = await readAll(harness);
      expect(entries).toEqual([entry('item/a', 1), entry('item/c', 3)]);
      expect(faults).toEqual([expect.stringContaining('item/b')]);
    });

    it('throws if a value is not JSON, and writes nothing of it', async () => {
      const journal = await harness.open();
      const cycle: Record<string, unknown> = {};
      cycle['self'] = cycle;
      for (const value of [cycle, 1n, () => undefined, Symbol('no')]) {
        expect(() => journal.write([change('item/a', 1), change('item/b', value)], () => undefined)).toThrow(TypeError);
      }
      expect((await load(journal)).entries).toEqual([]);
      await close(journal);
    });

    it('finishes writes under way before it closes, and writes nothing afterwards', async () => {
      const journal = await harness.open();
      const told: string[] = [];
      const before = write(journal, [change('item/a', 1)]).then(() => told.push('written'));
      const closed = close(journal).then(() => told.push('closed'));
      await expect(write(journal, [change('item/b', 2)])).rejects.toThrow(/closed/);
      await Promise.all([before, closed]);
      expect(told).toEqual(['written', 'closed']);
      await close(journal);
      expect((await readAll(harness)).entries).toEqual([entry('item/a', 1)]);
    });

    it('holds what a map would hold after any history', async () => {
      const key = fc.constantFrom('boot/now', 'item/a', 'item/b', 'item/c', 'guest/a/b');
      const value = fc.option(fc.jsonValue(), { nil: undefined });
      const history = fc.array(fc.array(fc.tuple(key, value), { maxLength: 4 }), { maxLength: 12 });
      const kept = new Map<string, unknown>();
      await fc.assert(
        fc.asyncProperty(history, async (writes) => {
          const journal = await harness.open();
          await Promise.all(
            writes.map((changes) =>
              write(
                journal,
                changes.map(([one, to]) => change(one, to)),
              ),
            ),
          );
          await close(journal);
          for (const [one, to] of writes.flat()) applyChange(kept, one, to);
          expect((await readAll(harness)).entries).toEqual(sortEntries(kept));
        }),
        { numRuns: 25, endOnFailure: true },
      );
    });
  });
}

/** Writes changes; rejects with the journal's error. */
export async function write(journal: Journal, changes: readonly JournalChange[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    journal.write(changes, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** Loads everything; rejects with the journal's error. */
export async function load(journal: Journal): Promise<{ entries: readonly JournalEntry[]; faults: readonly string[] }> {
  return new Promise((resolve, reject) => {
    journal.load((error, entries, faults) => (error === undefined ? resolve({ entries, faults }) : reject(error)));
  });
}

/** Closes a journal; resolves when it has closed. */
export async function close(journal: Journal): Promise<void> {
  await new Promise<void>((resolve) => {
    journal.close(resolve);
  });
}

async function readAll(world: JournalHarness): ReturnType<typeof load> {
  const journal = await world.open();
  const loaded = await load(journal);
  await close(journal);
  return loaded;
}

function change(key: string, value: unknown): JournalChange {
  return { key, value };
}

function entry(key: string, value: unknown): JournalEntry {
  return { key, value };
}

function applyChange(kept: Map<string, unknown>, key: string, value: unknown): void {
  // As in JSON, where -0 becomes 0.
  if (value === undefined) kept.delete(key);
  else kept.set(key, JSON.parse(JSON.stringify(value)));
}

function sortEntries(kept: ReadonlyMap<string, unknown>): readonly JournalEntry[] {
  return [...kept.keys()].toSorted().map((key) => entry(key, kept.get(key)));
}
