/**
 * Describes the entries of a walk: reads and hashes every file, several at a time, and keeps their order.
 */
import { errorCode } from '../../os/errors.js';
import type { Manifest, ManifestFile } from '../../protocol/manifest.js';
import { Refused } from '../outcome.js';
import { readDigest } from './file-hash.js';
import type { KnownDigests } from './known-digests.js';
import { createTaskPool } from '../workspace/task-pool.js';
import { walkTree, type TreeEntry } from './tree-walk.js';

const READS_MAX = 8;

/** The files and directories of a manifest. */
export interface BuiltManifest extends Pick<Manifest, 'files' | 'directories'> {
  /** Disk space of all files, holes left out, bytes; it is not part of the manifest. */
  readonly room: number;
}

/** An empty description. */
export const NOTHING: BuiltManifest = { files: [], directories: [], room: 0 };

/** Describes a whole directory; empty if it does not exist. Skips links that lead out of it, devices and the like. */
export async function buildManifest(root: string, prefix: string, known?: KnownDigests): Promise<BuiltManifest> {
  const entries: TreeEntry[] = [];
  try {
    for await (const entry of walkTree(root, 'skip')) entries.push(entry);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && entries.length === 0) return NOTHING;
    throw error;
  }
  return buildFromEntries(entries, prefix, known);
}

/** Describes these entries, with `prefix` before each path. Throws {@link Refused} for a file that cannot be read. */
export async function buildFromEntries(
  entries: readonly TreeEntry[],
  prefix: string,
  known?: KnownDigests,
): Promise<BuiltManifest> {
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
        const described = await buildFromFile(path, entry.source, known);
        files[at] = described?.file;
        room += described?.room ?? 0;
      });
    }
  }
  await pool.drain();
  return { files: files.filter((file) => file !== undefined), directories, room };
}

/**
 * Describes one file and its disk space in bytes; `undefined` for anything but a regular file. Throws {@link Refused}
 * when permission is denied.
 */
export async function buildFromFile(
  path: string,
  source: string,
  known?: KnownDigests,
): Promise<{ readonly file: ManifestFile; readonly room: number } | undefined> {
  try {
    const facts = await readDigest(source, known === undefined ? undefined : { path, known });
    if (facts === undefined) return undefined;
    const { room, ...described } = facts;
    return { file: { path, ...described }, room };
  } catch (error) {
    if (errorCode(error) === 'EACCES') throw new Refused(`${source} cannot be read: permission denied`);
    throw error;
  }
}
