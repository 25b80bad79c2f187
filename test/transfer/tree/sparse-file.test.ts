/** Files that are mostly holes stay so: on the way in, in copies, and in what is reckoned for them. */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDigest } from '../../../src/transfer/tree/file-hash.js';
import { copySparse, countRoom, writeSparse } from '../../../src/transfer/tree/sparse-file.js';
import { createWorkspace } from '../../../src/transfer/workspace/workspace.js';
import type { Bundle } from '../../../src/transfer/transfer.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';
import { ended, succeeded } from '../../support/transfer-steps.js';

const makeDirectory = temporaryDirectories();
const MIB = 1024 ** 2;

/** 64 MiB, of which three blocks hold something. */
function makeSparse(path: string): void {
  const file = openSync(path, 'wx', 0o640);
  for (const at of [0, 20 * MIB + 4096, 64 * MIB - 1]) writeSync(file, 'x', at);
  ftruncateSync(file, 64 * MIB);
  closeSync(file);
}

function diskUse(path: string): number {
  return statSync(path).blocks * 512;
}

describe('writing', () => {
  it('leaves any bytes as they are, wherever it begins and however they are cut', async () => {
    const path = join(makeDirectory(), 'file');
    const run = fc.tuple(fc.constantFrom(0, 0, 7), fc.integer({ min: 1, max: 9000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(run, { maxLength: 8 }), fc.integer({ min: 1, max: 7000 }), async (runs, piece) => {
        const bytes = Buffer.concat(runs.map(([value, length]) => Buffer.alloc(length, value)));
        const handle = await open(path, 'w');
        for (let at = 0; at < bytes.length; at += piece) {
          await writeSparse(handle, bytes.subarray(at, at + piece), at);
          // A later fetch goes on from the length of what is there.
          expect((await handle.stat()).size).toBe(Math.min(bytes.length, at + piece));
        }
        await handle.close();
        expect(readFileSync(path).equals(bytes)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a sparse file', () => {
  it('is reckoned at what it takes', async () => {
    const path = join(makeDirectory(), 'sparse');
    makeSparse(path);
    expect(await readDigest(path)).toMatchObject({ size: 64 * MIB, room: 3 * 4096 });
    expect(countRoom(Buffer.alloc(10), 0)).toBe(0);
    expect(countRoom(Buffer.alloc(10, 1), 4090)).toBe(2 * 4096);
  });

  it('is copied with its holes and its mode, onto nothing that is there', async () => {
    const directory = makeDirectory();
    const [source, target] = [join(directory, 'sparse'), join(directory, 'copy')];
    makeSparse(source);
    await copySparse(source, target);
    expect(readFileSync(target).equals(readFileSync(source))).toBe(true);
    expect(statSync(target).mode & 0o777).toBe(0o640);
    expect(diskUse(target)).toBeLessThan(MIB);
    await expect(copySparse(source, target)).rejects.toThrow('EEXIST');
    writeFileSync(join(directory, 'dense'), 'text');
    await expect(copySparse(join(directory, 'dense'), target)).rejects.toThrow('EEXIST');
  });

  it('is staged with its holes, and its bundle tells the room that it takes', async () => {
    const [state, user] = [makeDirectory(), makeDirectory()];
    makeSparse(join(user, 'sparse'));
    const workspace = createWorkspace(state);
    const bundle = await succeeded<Bundle>((done) =>
      workspace.stage('item-1', [join(user, 'sparse')], undefined, done),
    );
    expect(bundle).toMatchObject({ bytes: 64 * MIB, room: 3 * 4096 });
    expect(JSON.stringify(bundle.manifest)).not.toContain('room');
    expect(diskUse(join(state, 'items/item-1/in/sparse'))).toBeLessThan(MIB);
  });

  it('is put into its destination with its holes', async () => {
    const [state, destination] = [makeDirectory(), makeDirectory()];
    const workspace = createWorkspace(state);
    const work = join(workspace.homeDirectory('item-1', 1), 'work');
    mkdirSync(work, { recursive: true });
    makeSparse(join(work, 'sparse'));
    expect(await ended<undefined>((done) => workspace.place('item-1', 1, destination, done))).toMatchObject({
      ok: true,
    });
    expect(readFileSync(join(destination, 'sparse')).equals(readFileSync(join(work, 'sparse')))).toBe(true);
    expect(diskUse(join(destination, 'sparse'))).toBeLessThan(MIB);
  });
});
