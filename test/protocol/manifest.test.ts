/** The path rule and the manifest: nothing is written outside the directory that a transfer is unpacked into. */
import { posix } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countSlots, isInnerPath, measureCommand } from '../../src/protocol/item.js';
import { manifestSchema } from '../../src/protocol/manifest.js';

describe('isInnerPath', () => {
  it.each(['a', 'a/b', '.hidden', '..a', 'a..', 'a b', 'ä/ö', '...'])('%j stays inside', (path) =>
    expect(isInnerPath(path)).toBe(true),
  );

  it.each(['', '/', '/a', '..', '../a', 'a/..', 'a/../b', '.', './a', 'a//b', 'a/', 'a\\b', 'a\0b'])(
    '%j does not',
    (path) => expect(isInnerPath(path)).toBe(false),
  );

  it('accepts a path only below its directory and in its one normal form', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', '/', '\\', 'a'), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }).map((parts) => parts.join('/')),
        (path) => {
          fc.pre(isInnerPath(path));
          const whole = posix.join('/base', path);
          expect(whole).toBe(`/base/${path}`);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('a manifest', () => {
  const file = { path: 'a', size: 1, mode: 0o644, sha256: 'a'.repeat(64) };
  it('with files and directories is accepted', () => {
    expect(manifestSchema.parse({ files: [file] })).toEqual({ files: [file], directories: [] });
  });

  it.each<[string, object]>([
    ['a path that leaves', { files: [{ ...file, path: '../a' }] }],
    ['a directory that leaves', { files: [], directories: ['/etc'] }],
    ['a path named twice', { files: [file, file] }],
    ['a set-id bit', { files: [{ ...file, mode: 0o4755 }] }],
    ['a size below 0', { files: [{ ...file, size: -1 }] }],
    ['a hash in capitals', { files: [{ ...file, sha256: 'A'.repeat(64) }] }],
    ['a path of more than 1,024 characters', { files: [{ ...file, path: 'a'.repeat(1025) }] }],
  ])('with %s is rejected', (_title, manifest) => {
    expect(manifestSchema.safeParse(manifest).success).toBe(false);
  });
});

describe('an item', () => {
  it.each([
    [0.1, 1],
    [1, 1],
    [1.1, 2],
    [4, 4],
  ])('of %d cpus takes %i slots', (cpus, slots) => {
    expect(countSlots({ cpus, labels: [], abilities: [] })).toBe(slots);
  });

  it('is measured in bytes, including the names and values of its environment', () => {
    expect(measureCommand({ argv: ['ä', 'b'], env: { AB: 'c' } })).toBe(6);
  });
});
