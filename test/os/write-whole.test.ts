/** A file that is there whole or not at all, and nothing beside it. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { syncDirectory, writeSynced, writeWhole } from '../../src/os/write-whole.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();

describe('a file that is replaced', () => {
  it('has the new text, is its owner’s alone, and leaves no draft', () => {
    const directory = makeDirectory();
    const path = join(directory, 'file');
    writeFileSync(path, 'a longer text than the new one', { mode: 0o644 });
    writeFileSync(`${path}.new`, 'of a writer that was killed', { mode: 0o600 });
    writeWhole(path, 'new ü');
    expect(readFileSync(path, 'utf8')).toBe('new ü');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['file']);
  });

  it('stays as it was when it cannot be replaced, and no draft is left', () => {
    const directory = makeDirectory();
    mkdirSync(join(directory, 'file/below'), { recursive: true });
    expect(() => writeWhole(join(directory, 'file'), 'text', join(directory, 'draft'))).toThrow(
      /EISDIR|ENOTEMPTY|EEXIST/,
    );
    expect(readdirSync(directory)).toEqual(['file']);
    expect(readdirSync(join(directory, 'file'))).toEqual(['below']);
  });

  it('needs its directory', () => {
    expect(() => writeWhole(join(makeDirectory(), 'none', 'file'), 'text')).toThrow(/ENOENT/);
  });
});

describe('a file that is written', () => {
  it('may be there or not, as is asked', () => {
    const path = join(makeDirectory(), 'file');
    writeSynced(path, 'first', 'wx');
    expect(() => writeSynced(path, 'second', 'wx')).toThrow(/EEXIST/);
    expect(readFileSync(path, 'utf8')).toBe('first');
    writeSynced(path, 'third', 'w');
    expect(readFileSync(path, 'utf8')).toBe('third');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

it('syncs a directory, and says nothing of one that is not there', () => {
  const directory = makeDirectory();
  expect(() => syncDirectory(directory)).not.toThrow();
  expect(() => syncDirectory(join(directory, 'none'))).not.toThrow();
});
