/** What may be gone: nothing then, and no error. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readTextIfThere, tryListNames, tryReadLink, tryReadText } from '../../src/os/try-read.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();

it('reads what is there', () => {
  const directory = makeDirectory();
  writeFileSync(join(directory, 'file'), 'text ü\n');
  symlinkSync('nowhere', join(directory, 'link'));
  expect(tryReadText(join(directory, 'file'))).toBe('text ü\n');
  expect(readTextIfThere(join(directory, 'file'))).toBe('text ü\n');
  expect(tryReadLink(join(directory, 'link'))).toBe('nowhere');
  expect(tryListNames(directory).toSorted()).toEqual(['file', 'link']);
});

it('gives nothing where nothing is', () => {
  const none = join(makeDirectory(), 'none');
  expect(tryReadText(none)).toBeUndefined();
  expect(readTextIfThere(none)).toBeUndefined();
  expect(tryReadLink(none)).toBeUndefined();
  expect(tryListNames(none)).toEqual([]);
});

it('tells a file that cannot be read from one that is not there, where that is asked', () => {
  const directory = makeDirectory();
  mkdirSync(join(directory, 'directory'));
  writeFileSync(join(directory, 'file'), '');
  expect(tryReadText(join(directory, 'directory'))).toBeUndefined();
  expect(() => readTextIfThere(join(directory, 'directory'))).toThrow(/EISDIR/);
  expect(() => readTextIfThere(join(directory, 'file', 'below'))).toThrow(/ENOTDIR/);
});
