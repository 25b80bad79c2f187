/**
 * `journal`: writes per second, one after another and a hundred at a time, without and with `journal.sync`. The
 * baseline appends the same bytes to a file, with fdatasync where the journal syncs.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createLevelJournal } from '../src/journal/level-journal.js';
import type { Journal } from '../src/journal/journal.js';
import type { Scratch } from './setup/scratch.js';
import { round, type Figure } from './measure/figure.js';

const WRITES = 2000;
const TOGETHER = 100;
/** About the size of an item's record. */
const VALUE = { text: 'x'.repeat(900) };

/** Runs the benchmark; yields a figure for each kind of write. */
export async function* measureJournal(scratch: Scratch): AsyncGenerator<Figure> {
  for (const sync of [false, true]) {
    const floor = appendWrites(join(scratch.directory, `floor-${sync}`), sync);
    const journal = await createLevelJournal({ directory: join(scratch.directory, `journal-${sync}`), sync });
    for (const together of [1, TOGETHER]) {
      const rate = await writeAll(journal, together);
      yield {
        bench: 'journal',
        sync: String(sync),
        writes: WRITES,
        at_once: together,
        writes_per_s: round(rate),
        floor_writes_per_s: round(floor),
        ratio: round(rate / floor),
      };
    }
    await new Promise<void>((resolve) => journal.close(resolve));
  }
}

async function writeAll(journal: Journal, together: number): Promise<number> {
  const begun = performance.now();
  for (let index = 0; index < WRITES; index += together) {
    await Promise.all(Array.from({ length: together }, (_, offset) => write(journal, `item/${index + offset}`)));
  }
  return (WRITES / (performance.now() - begun)) * 1000;
}

function write(journal: Journal, key: string): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.write([{ key, value: VALUE }], (error) => (error === undefined ? resolve() : reject(error)));
  });
}

function appendWrites(path: string, sync: boolean): number {
  const file = openSync(path, 'a');
  const text = `${JSON.stringify(VALUE)}\n`;
  const begun = performance.now();
  for (let index = 0; index < WRITES; index += 1) {
    writeSync(file, text);
    if (sync) fdatasyncSync(file);
  }
  const rate = (WRITES / (performance.now() - begun)) * 1000;
  closeSync(file);
  return rate;
}
