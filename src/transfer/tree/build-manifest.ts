/**
 * Describes what a walk named: reads and hashes every file, several at a time, and keeps the order.
 */
import { errorCode } from '../../os/errors.js';
import type { Manifest, ManifestFile } from '../../protocol/manifest.js';
import { Refused } from '../outcome.js';
import { readDigest } from './file-hash.js';
import { createTaskPool } from '../workspace/task-pool.js';
import { walkTree, type TreeEntry } from './tree-walk.js';

const READS_MAX = 8;

/** What a manifest says about files. */
export interface BuiltManifest extends Pick<Manifest, 'files' | 'directories'> {
  /** Bytes that all of it takes on a disk, holes left out; it does not travel. */
  readonly room: number;
}

/** Nothing at all. */
export const NOTHING: BuiltManifest = { files: [], directories: [], room: 0 };

/**
 * Describes a whole directory; nothing if it does not exist. Links that lead out of it, devices and the like are left
 * out.
 */
export async function buildManifest(root: string, prefix: string): Promise<BuiltManifest> {
  const entries: TreeEntry[] = [];
  try {
    for await (const entry of walkTree(root, 'skip')) entries.push(entry);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && entries.length === 0) return NOTHING;
    throw error;
  }
  return buildFromEntries(entries, prefix);
}

/**
 * Describes these entries, each path with `prefix` before it. Throws {@link Refused} for a file that cannot be read.
 */
export async function buildFromEntries(entries: readonly TreeEntry[], prefix: string): Promise<BuiltManifest> {
  const files: (ManifestFile | undefined)[] = [];
  const directories: string[] = [];
  let room = 0;
  const pool = createTaskPool(READS_MAX);
  for (const entry of entries) {
    const path = prefix + entry.path;
    if (entry.kind === 'directory') directories.push(path);
    else {
      const at = files.push(undefined) - 1;
      await pool.add(async () => {
        const described = await buildFromFile(path, entry.source);
        files[at] = described?.file;
        room += described?.room ?? 0;
      });
    }
  }
  await pool.drain();
  return { files: files.filter((file) => file !== undefined), directories, room };
}

/** Describes one file, and what it takes on a disk; `undefined` when it is no regular file. */
export async function buildFromFile(
  path: string,
  source: string,
): Promise<{ readonly file: ManifestFile; readonly room: number } | undefined> {
  try {
    const facts = await readDigest(source);
    if (facts === undefined) return undefined;
    const { room, ...described } = facts;
    return { file: { path, ...described }, room };
  } catch (error) {
    if (errorCode(error) === 'EACCES') throw new Refused(`${source} cannot be read: permission denied`);
    throw error;
  }
}
