/**
 * Finds the files below a directory that match globs. A symbolic link counts as its target if that is inside the
 * directory; the search never leaves the directory and never follows a link in a circle.
 */
import type { Dirent, readdir as readNames } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../../os/errors.js';
import { isBelow } from './inner-tree.js';

/** The part of a directory entry that tinyglobby uses. */
type Entry = Pick<Dirent, 'name' | 'isFile' | 'isDirectory' | 'isSymbolicLink'>;
type Listed = (error: NodeJS.ErrnoException | null, entries: readonly Entry[]) => void;

/**
 * Returns the relative paths of matching files below `root`, sorted. Dot files match only if the glob itself has the
 * dot. A glob that names an existing file or directory is taken literally; a directory means all below it.
 */
export async function matchGlobs(root: string, globs: readonly string[]): Promise<readonly string[]> {
  const real = await realpath(root).catch(() => undefined);
  if (real === undefined) return [];
  const { glob, escapePath } = await import('tinyglobby');
  const patterns = await Promise.all(
    globs.map(async (text) => ((await isThere(join(real, text))) ? escapePath(text) : text)),
  );
  const list = (path: string, _options: object, done: Listed): void => listInside(real, path, done);
  // Our listing resolves links, so the library never sees one.
  const paths = await glob(patterns, {
    cwd: real,
    followSymbolicLinks: false,
    fs: { readdir: list as typeof readNames },
  });
  return paths.toSorted();
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function listInside(root: string, path: string, done: Listed): void {
  resolveEntries(root, path).then(
    (entries) => setImmediate(done, null, entries),
    (error: unknown) => setImmediate(done, toError(error), []),
  );
}

async function resolveEntries(root: string, path: string): Promise<readonly Entry[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const resolved = await Promise.all(
    entries.map(async (entry) => (entry.isSymbolicLink() ? resolveLink(root, path, entry.name) : entry)),
  );
  return resolved.filter((entry) => entry !== undefined);
}

async function resolveLink(root: string, path: string, name: string): Promise<Entry | undefined> {
  const target = await realpath(join(path, name)).catch(() => undefined);
  if (target === undefined || !isBelow(root, target) || isBelow(target, await realpath(path))) return undefined;
  const stats = await stat(target);
  return {
    name,
    isFile: () => stats.isFile(),
    isDirectory: () => stats.isDirectory(),
    isSymbolicLink: () => false,
  };
}
