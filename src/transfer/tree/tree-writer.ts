/**
 * Turns the byte stream of a manifest back into files below one directory. Each file appears whole and checked or not
 * at all; what an earlier, cut fetch left is used again. It follows no link below its directory: one that is in the way
 * is replaced.
 */
import { chmod, lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeTree } from '../../os/remove-tree.js';
import type { Manifest, ManifestFile } from '../../protocol/manifest.js';
import { Refused } from '../outcome.js';
import { readDigest } from './file-hash.js';
import { createInnerTree, type InnerTree } from './inner-tree.js';
import { PARTS_DIRECTORY } from '../bundle/manifest-bundle.js';
import { createSmallPart, openLargePart, SMALL_BYTES_MAX, StalePart, type PartFile } from './part-file.js';
import { createTaskPool, type TaskPool } from '../workspace/task-pool.js';

/** Small files that are written side by side: node has four threads for files, and each file takes several steps. */
const WRITES_MAX = 8;

/** Writes one tree. */
export interface TreeWriter {
  /** Byte of the stream to go on from. */
  offset(): number;
  /** Takes the next bytes. After {@link StalePart} the offset has moved back: ask again from there. */
  write(chunk: Buffer): Promise<void>;
  /** Waits until every file is in its place. */
  finish(): Promise<void>;
  /** Lets go of what is open, after a failure. */
  close(): Promise<void>;
}

/** Opens a tree: makes its directories and finds out what is there already. */
export async function openTree(directory: string, manifest: Manifest): Promise<TreeWriter> {
  const tree = createInnerTree(directory, 'replace');
  await tree.ensure('.');
  for (const path of manifest.directories) await tree.ensure(path);
  const kept = await countKept(directory, manifest.files, tree);
  if (manifest.files.length > kept.count) await openParts(directory, tree, manifest.files, kept.count);
  const writer = createWriter(directory, manifest.files, tree, kept);
  await writer.advance();
  return writer;
}

interface Kept {
  readonly count: number;
  readonly bytes: number;
}

/** Counts the files, from the first, that are there as they should be. A tree that is new costs one look. */
async function countKept(directory: string, files: readonly ManifestFile[], tree: InnerTree): Promise<Kept> {
  let [count, bytes] = [0, 0];
  for (const file of files) {
    if (!(await isKept(directory, file, tree))) break;
    count += 1;
    bytes += file.size;
  }
  return { count, bytes };
}

async function isKept(directory: string, file: ManifestFile, tree: InnerTree): Promise<boolean> {
  const path = join(directory, file.path);
  await tree.ensure(dirname(file.path));
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isFile() !== true || stats.size !== file.size) return false;
  const facts = await readDigest(path).catch(() => undefined);
  if (facts?.sha256 !== file.sha256) return false;
  if (facts.mode !== file.mode) await chmod(path, file.mode & 0o777);
  return true;
}

/**
 * Makes the directory of parts, and keeps in it only the one that can be continued: a large file's, if it is the next.
 */
async function openParts(
  directory: string,
  tree: InnerTree,
  files: readonly ManifestFile[],
  index: number,
): Promise<void> {
  await tree.ensure(PARTS_DIRECTORY);
  const parts = join(directory, PARTS_DIRECTORY);
  const next = files[index];
  const continued = next !== undefined && isLarge(next) ? String(index) : undefined;
  for (const name of await readdir(parts)) {
    // What is left of a small file, by a node that died or a disk that was full, would be in the way of its next
    // writing.
    if (name !== continued) await removeTree(join(parts, name));
  }
}

function isLarge(file: ManifestFile): boolean {
  return file.size > SMALL_BYTES_MAX;
}

type Advancing = TreeWriter & { advance(): Promise<void> };

function createWriter(directory: string, files: readonly ManifestFile[], tree: InnerTree, kept: Kept): Advancing {
  const pool = createTaskPool(WRITES_MAX);
  let index = kept.count;
  let offset = kept.bytes;
  let part: PartFile | undefined;

  /** Goes on to the next file that needs bytes; files that need none are finished on the way. */
  async function advance(): Promise<void> {
    for (let file = files[index]; file !== undefined; file = files[index]) {
      await tree.ensure(dirname(file.path));
      part = await openPart(directory, file, index, pool);
      offset += file.size - part.left();
      if (part.left() > 0) return;
      await complete(file, part);
    }
  }

  async function complete(file: ManifestFile, whole: PartFile): Promise<void> {
    part = undefined;
    try {
      await whole.finish();
      index += 1;
    } catch (error) {
      if (!(error instanceof StalePart)) throw error;
      offset -= file.size;
    }
  }

  async function write(chunk: Buffer): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      const file = files[index];
      if (file === undefined || part === undefined) throw new Refused('more bytes came than the manifest names');
      const piece = rest.subarray(0, part.left());
      await part.write(piece);
      offset += piece.length;
      rest = rest.subarray(piece.length);
      if (part.left() > 0) continue;
      const before = index;
      await complete(file, part);
      await advance();
      if (index === before) throw new StalePart(`${file.path} is fetched anew`);
    }
  }

  return {
    offset: () => offset,
    advance,
    write,
    finish: async () => {
      await pool.drain();
      await removeTree(join(directory, PARTS_DIRECTORY));
    },
    close: async () => {
      await part?.close();
      part = undefined;
      await pool.drain().catch(() => undefined);
    },
  };
}

async function openPart(directory: string, file: ManifestFile, index: number, pool: TaskPool): Promise<PartFile> {
  const paths = { part: join(directory, PARTS_DIRECTORY, String(index)), target: join(directory, file.path) };
  return isLarge(file) ? openLargePart(file, paths) : createSmallPart(file, paths, pool);
}
