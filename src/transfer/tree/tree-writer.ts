/**
 * Writes the byte stream of a manifest as files below one directory. Each file appears whole and verified or not at
 * all, and what an interrupted fetch left is reused. It never follows a link below its directory; it replaces one
 * that is in the way.
 */
import { chmod, lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeTree } from '../../os/remove-tree.js';
import type { Manifest, ManifestFile } from '../../protocol/manifest.js';
import { Refused } from '../outcome.js';
import { readDigest } from './file-hash.js';
import { createKnownDigests, type KnownDigests } from './known-digests.js';
import { createInnerTree, type InnerTree } from './inner-tree.js';
import { PARTS_DIRECTORY } from '../bundle/manifest-bundle.js';
import { createSmallPart, openLargePart, SMALL_BYTES_MAX, StalePart, type PartFile } from './part-file.js';
import { createTaskPool, type TaskPool } from '../workspace/task-pool.js';

/** Small files written concurrently: node has four threads for files, and each file takes several steps. */
const WRITES_MAX = 8;

/** Writes one tree. */
export interface TreeWriter {
  /** Position in the stream to continue from. */
  offset(): number;
  /** Accepts the next bytes. After {@link StalePart} the offset has moved back: continue from there. */
  write(chunk: Buffer): Promise<void>;
  /** Waits until every file is in place. */
  finish(): Promise<void>;
  /** Closes open files, after a failure. */
  close(): Promise<void>;
}

/** Opens a tree: creates its directories and finds out which files are already there. */
export async function openTree(
  directory: string,
  manifest: Manifest,
  known: KnownDigests = createKnownDigests(),
): Promise<TreeWriter> {
  const tree = createInnerTree(directory, 'replace');
  await tree.ensure('.');
  for (const path of manifest.directories) await tree.ensure(path);
  const kept = await countKept(directory, manifest.files, tree, known);
  if (manifest.files.length > kept.count) await openParts(directory, tree, manifest.files, kept.count);
  const writer = createWriter(directory, manifest.files, tree, kept, known);
  await writer.advance();
  return writer;
}

interface Kept {
  readonly count: number;
  readonly bytes: number;
}

/** Counts the leading files that are already there and correct. A new tree costs one `lstat`. */
async function countKept(
  directory: string,
  files: readonly ManifestFile[],
  tree: InnerTree,
  known: KnownDigests,
): Promise<Kept> {
  let [count, bytes] = [0, 0];
  for (const file of files) {
    if (!(await isKept(directory, file, tree, known))) break;
    count += 1;
    bytes += file.size;
  }
  return { count, bytes };
}

async function isKept(directory: string, file: ManifestFile, tree: InnerTree, known: KnownDigests): Promise<boolean> {
  const path = join(directory, file.path);
  await tree.ensure(dirname(file.path));
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isFile() !== true || stats.size !== file.size) return false;
  const facts = await readDigest(path, { path: file.path, known }).catch(() => undefined);
  if (facts?.sha256 !== file.sha256) return false;
  if (facts.mode !== file.mode) await chmod(path, file.mode & 0o777);
  return true;
}

/** Creates the parts directory and keeps only the part that can be resumed: the next file's, if it is large. */
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
    // A small file's part left by a crash or a full disk would block writing that file.
    if (name !== continued) await removeTree(join(parts, name));
  }
}

function isLarge(file: ManifestFile): boolean {
  return file.size > SMALL_BYTES_MAX;
}

type Advancing = TreeWriter & { advance(): Promise<void> };

function createWriter(
  directory: string,
  files: readonly ManifestFile[],
  tree: InnerTree,
  kept: Kept,
  known: KnownDigests,
): Advancing {
  const pool = createTaskPool(WRITES_MAX);
  let index = kept.count;
  let offset = kept.bytes;
  let part: PartFile | undefined;

  /** Moves on to the next file that needs bytes; files that need none are finished on the way. */
  async function advance(): Promise<void> {
    for (let file = files[index]; file !== undefined; file = files[index]) {
      await tree.ensure(dirname(file.path));
      part = await openPart(directory, file, index, pool, known);
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
      if (index === before) throw new StalePart(`${file.path} is fetched again`);
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

async function openPart(
  directory: string,
  file: ManifestFile,
  index: number,
  pool: TaskPool,
  known: KnownDigests,
): Promise<PartFile> {
  const paths = { part: join(directory, PARTS_DIRECTORY, String(index)), target: join(directory, file.path) };
  return isLarge(file) ? openLargePart(file, paths, known) : createSmallPart(file, paths, pool);
}
