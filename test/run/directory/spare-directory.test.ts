/** The spare run directory: what is in it, when it is not used, and that nothing of it is left. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asyncScheduler } from 'rxjs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createSpareDirectory, type SpareDirectory } from '../../../src/run/directory/spare-directory.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();

function openSpare(place: string): SpareDirectory {
  const spare = createSpareDirectory(place, asyncScheduler);
  onTestFinished(() => spare.close());
  return spare;
}

it('the spare has what every run has, and nothing that says it was started', async () => {
  const root = makeDirectory();
  const spare = openSpare(join(root, 'spares'));
  const run = join(root, 'guests', 'alpha', 'one');
  await vi.waitFor(() => expect(spare.moveTo(run)).toBe(true));
  expect(readdirSync(run).toSorted()).toEqual(['stderr', 'stdout', 'work']);
  expect(['stdout', 'stderr'].map((name) => readFileSync(join(run, name), 'utf8'))).toEqual(['', '']);
});

it('each start that took the spare is followed by a new one', async () => {
  const root = makeDirectory();
  const spare = openSpare(join(root, 'spares'));
  for (const name of ['one', 'two', 'three']) await vi.waitFor(() => expect(spare.moveTo(join(root, name))).toBe(true));
  expect(['one', 'two', 'three'].every((name) => existsSync(join(root, name, 'work')))).toBe(true);
});

it('a directory that holds something is left as it is', async () => {
  const root = makeDirectory();
  const spare = openSpare(join(root, 'spares'));
  const run = join(root, 'run');
  mkdirSync(run);
  writeFileSync(join(run, 'input'), 'fetched');
  await vi.waitFor(() => expect(readdirSync(join(root, 'spares', '0'))).toHaveLength(3));
  expect(spare.moveTo(run)).toBe(false);
  expect(readdirSync(run)).toEqual(['input']);
});

it('what an earlier life left is removed, and so is the spare at the close', async () => {
  const root = makeDirectory();
  const place = join(root, 'spares');
  mkdirSync(join(place, 'old'), { recursive: true });
  const spare = openSpare(place);
  await vi.waitFor(() => expect(existsSync(join(place, '0', 'work'))).toBe(true));
  expect(existsSync(join(place, 'old'))).toBe(false);
  spare.close();
  await vi.waitFor(() => expect(existsSync(place)).toBe(false));
});
