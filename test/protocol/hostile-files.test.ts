/**
 * Broken files: a key file of arbitrary bytes, leftovers of an earlier fetch, a stream of wrong bytes, a shared
 * directory that changed after its manifest was built. Each case ends in the right bytes or in its own refusal.
 */
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyPath, KeyFileError, loadKey } from '../../src/identity/key-file.js';
import type { Manifest } from '../../src/protocol/manifest.js';
import { readBundle } from '../../src/transfer/bundle/bundle-reader.js';
import { Refused } from '../../src/transfer/outcome.js';
import { PARTS_DIRECTORY, sealBundle } from '../../src/transfer/bundle/manifest-bundle.js';
import { SMALL_BYTES_MAX, StalePart } from '../../src/transfer/tree/part-file.js';
import { buildManifest } from '../../src/transfer/tree/build-manifest.js';
import { openTree, type TreeWriter } from '../../src/transfer/tree/tree-writer.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const RUNS = process.env['TRITMESH_TEST_LONG'] === '1' ? 1000 : 40;
const makeDirectory = temporaryDirectories();

describe('a key file', () => {
  it('of arbitrary bytes is rejected by name', () => {
    const state = makeDirectory();
    const path = keyPath(state);
    mkdirSync(dirname(path), { recursive: true });
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom('', '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n', 'MC4CAQAwBQYDK2VwBCIEIA=='),
    );
    fc.assert(
      fc.property(text, (bytes) => {
        writeFileSync(path, bytes, { mode: 0o600 });
        expect(() => loadKey(state)).toThrow(KeyFileError);
      }),
      { numRuns: RUNS },
    );
  });
});

/** Two small files, a large one and an empty one; always the same. */
const FILES: readonly (readonly [string, Buffer])[] = [
  ['a', Buffer.from('first')],
  ['b/large', Buffer.alloc(SMALL_BYTES_MAX + 100_000, 'x')],
  ['b/empty', Buffer.alloc(0)],
  ['c', Buffer.alloc(1000, 'y')],
];
const STREAM: Buffer = Buffer.concat(FILES.map(([, bytes]) => bytes));

async function describeSource(): Promise<{ readonly root: string; readonly manifest: Manifest }> {
  const root = makeDirectory();
  for (const [path, bytes] of FILES) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes);
  }
  const { files, directories } = await buildManifest(root, '');
  // In the order of the stream above.
  return {
    root,
    manifest: { files: FILES.map(([path]) => files.find((file) => file.path === path) ?? fail()), directories },
  };
}

function fail(): never {
  throw new Error('not described');
}

describe('a stream that is written', () => {
  it('yields complete and correct files, or is rejected', async () => {
    const { manifest } = await describeSource();
    const plan = fc.record({
      // A leftover of an earlier fetch: the part with this number, with these bytes.
      left: fc.option(fc.record({ index: fc.nat(4), bytes: fc.uint8Array({ maxLength: 2000 }) })),
      cuts: fc.array(fc.nat(STREAM.length), { maxLength: 5 }),
      wrong: fc.option(fc.nat(STREAM.length - 1)),
      extra: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ left, cuts, wrong, extra }) => {
        const directory = makeDirectory();
        if (left !== null) {
          mkdirSync(join(directory, PARTS_DIRECTORY));
          writeFileSync(join(directory, PARTS_DIRECTORY, String(left.index)), left.bytes);
        }
        const stream = Buffer.concat([STREAM, Buffer.alloc(extra ? 1 : 0)]);
        if (wrong !== null) stream[wrong] = (stream[wrong] ?? 0) ^ 1;
        const error = await writeStream(await openTree(directory, manifest), stream, cuts);
        const isRight = wrong === null && !extra;
        if (isRight) expect(error).toBeUndefined();
        else expect(error).toBeInstanceOf(Refused);
        const found = FILES.map(([path, bytes]) => readIfThere(join(directory, path))?.equals(bytes));
        // Files that are in place are correct, even if the rest was rejected.
        expect(found).not.toContain(false);
        if (isRight) expect(found).not.toContain(undefined);
        rmSync(directory, { recursive: true });
      }),
      { numRuns: RUNS },
    );
  });
});

/**
 * Writes the stream in pieces, restarting where the writer asks if a part was not of its file; returns what it threw.
 */
async function writeStream(tree: TreeWriter, stream: Buffer, cuts: readonly number[]): Promise<unknown> {
  try {
    while (tree.offset() < stream.length) {
      const next = cuts.toSorted((a, b) => a - b).find((cut) => cut > tree.offset()) ?? stream.length;
      try {
        await tree.write(stream.subarray(tree.offset(), next));
      } catch (error) {
        if (!(error instanceof StalePart)) throw error;
      }
    }
    await tree.finish();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await tree.close();
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

describe('a shared directory', () => {
  const changes: Readonly<Record<string, (path: string) => void>> = {
    'is as described': () => undefined,
    'lost a file': (path) => rmSync(path),
    'has a shorter file': (path) => truncateSync(path, 1),
    'has a longer file': (path) => writeFileSync(path, 'more', { flag: 'a' }),
    'has a directory in its place': (path) => {
      rmSync(path);
      mkdirSync(path);
    },
    'has a link that leads out in its place': (path) => {
      rmSync(path);
      symlinkSync('/etc/passwd', path);
    },
    'has a link to itself in its place': (path) => {
      rmSync(path);
      symlinkSync(path, path);
    },
  };

  it.each(Object.entries(changes))(
    'that %s serves its bytes from any offset, or is rejected',
    async (title, change) => {
      const { root, manifest } = await describeSource();
      const bundle = sealBundle(root, manifest);
      const place = STREAM.length - 1000;
      change(join(root, 'c'));
      for (const start of [0, 3, 5, 6, place, place + 1, STREAM.length - 1, STREAM.length]) {
        const read = await readAll(readBundle(bundle, start));
        // Bytes that were appended to a file since then do not belong to it.
        const isWhole = title === 'is as described' || title === 'has a longer file' || start === STREAM.length;
        if (isWhole) expect(Buffer.isBuffer(read) && read.equals(STREAM.subarray(start))).toBe(true);
        else expect(read).toBeInstanceOf(Refused);
      }
    },
  );
});

async function readAll(pieces: AsyncIterable<Buffer>): Promise<unknown> {
  const read: Buffer[] = [];
  try {
    for await (const piece of pieces) read.push(piece);
    return Buffer.concat(read);
  } catch (error) {
    return error;
  }
}
