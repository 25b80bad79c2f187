import { describe, expect, it } from 'vitest';
import { createMemoryJournal, type MemoryContents } from '../../src/journal/memory-journal.js';
import { close, load, testJournal, write } from '../conformance/journal.js';

testJournal('memory', () => {
  const contents: MemoryContents = new Map();
  return Promise.resolve({
    open: () => Promise.resolve(createMemoryJournal({ contents })),
    spoil: (key, text) => {
      contents.set(key, text);
      return Promise.resolve();
    },
    remove: () => Promise.resolve(),
  });
});

describe('the journal in memory', () => {
  it('writes fail and store nothing while the journal is set to fail', async () => {
    const journal = createMemoryJournal();
    journal.failWrites(new Error('disk full'));
    await expect(write(journal, [{ key: 'item/a', value: 1 }])).rejects.toThrow('disk full');
    journal.failWrites(undefined);
    await write(journal, [{ key: 'item/b', value: 2 }]);
    expect((await load(journal)).entries).toEqual([{ key: 'item/b', value: 2 }]);
    await close(journal);
  });

  it('a dropped task stores nothing, like a crash', async () => {
    const contents: MemoryContents = new Map();
    const tasks: (() => void)[] = [];
    const journal = createMemoryJournal({ contents, later: (task) => tasks.push(task) });
    const reported: string[] = [];
    journal.write([{ key: 'item/a', value: 1 }], () => reported.push('a'));
    journal.write([{ key: 'item/b', value: 2 }], () => reported.push('b'));
    tasks[0]?.();
    expect(reported).toEqual(['a']);
    const next = createMemoryJournal({ contents });
    expect((await load(next)).entries).toEqual([{ key: 'item/a', value: 1 }]);
  });
});
