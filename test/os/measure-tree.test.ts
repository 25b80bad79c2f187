/** How large files and trees are. */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { measureFiles, measureTree } from '../../src/os/measure-tree.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();

it('counts what files say of their size', () => {
  const directory = makeDirectory();
  expect(measureFiles(directory)).toBe(0);
  writeFileSync(join(directory, 'one'), 'x'.repeat(5000));
  writeFileSync(join(directory, 'hole'), '');
  truncateSync(join(directory, 'hole'), 1_000_000);
  expect(measureFiles(directory)).toBe(1_005_000);
  expect(() => measureFiles(join(directory, 'none'))).toThrow(/ENOENT/);
});

it('counts what a tree takes on its disk', async () => {
  const directory = makeDirectory();
  mkdirSync(join(directory, 'below'));
  writeFileSync(join(directory, 'below', 'file'), 'x'.repeat(9000));
  expect(await measureTree(directory)).toBeGreaterThanOrEqual(9000);
  expect(await measureTree(join(directory, 'none'))).toBe(0);
});
