/**
 * Describes what comes home from a guest's directory: its stdout and stderr, and the files below `work/` that were asked
 * for. An item that left nothing costs two looks at the disk. Links count only when they stay inside `work/`.
 */
import { lstat, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestFile } from '../protocol/manifest.js';
import { matchGlobs } from './glob-match.js';
import { isBelow } from './inner-tree.js';
import { sealBundle } from './manifest-bundle.js';
import type { Bundle } from './transfer.js';
import { describeEntries, describeFile, describeTree, NOTHING, type TreeDescription } from './tree-description.js';
import { checkName, type TreeEntry } from './tree-walk.js';

/** Describes what comes home. Throws Refused for a name that cannot travel. */
export async function collectOutputs(
  directory: string,
  globs: readonly string[],
  everything: boolean,
): Promise<Bundle> {
  const streams = await Promise.all(['stdout', 'stderr'].map((name) => describeStream(directory, name)));
  const tree = await describeWork(join(directory, 'work'), globs, everything);
  const files = [...streams.filter((file) => file !== undefined), ...tree.files];
  return sealBundle(directory, { files, directories: tree.directories });
}

async function describeStream(directory: string, name: string): Promise<ManifestFile | undefined> {
  const path = join(directory, name);
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isFile() === true && stats.size > 0 ? describeFile(name, path) : undefined;
}

async function describeWork(work: string, globs: readonly string[], everything: boolean): Promise<TreeDescription> {
  if (everything) return describeTree(work, 'work/');
  if (globs.length === 0) return NOTHING;
  const entries: TreeEntry[] = [];
  for (const path of await matchGlobs(work, globs)) {
    checkName(path);
    const source = await resolveInside(work, path);
    if (source !== undefined) entries.push({ kind: 'file', path, source });
  }
  return describeEntries(entries, 'work/');
}

/** The real path of a file that was found, if it is (still) one inside `work/`. */
async function resolveInside(work: string, path: string): Promise<string | undefined> {
  const real = await realpath(join(work, path)).catch(() => undefined);
  if (real === undefined || !isBelow(await realpath(work), real)) return undefined;
  return (await stat(real)).isFile() ? real : undefined;
}
