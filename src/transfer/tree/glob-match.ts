/**
 * Finds the files below a directory that globs name. A symbolic link counts as what it points to, as long as that is
 * inside the directory; the search never leaves it, and no link makes it go in a circle.
 */
import type { Dirent, readdir as readNames } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../../os/errors.js';
import { isBelow } from './inner-tree.js';

/** What tinyglobby asks of an entry. */
type Entry = Pick<Dirent, 'name' | 'isFile' | 'isDirectory' | 'isSymbolicLink'>;
type Listed = (error: NodeJS.ErrnoException | null, entries: readonly Entry[]) => void;

/**
 * Relative paths of files below `root`, sorted. Dot files match only where the glob itself has the dot; a glob that is
 * the name of a file or directory means just that. A directory means all below it.
 */
export async function matchGlobs(root: string, globs: readonly string[]): Promise<readonly string[]> {
  const real = await realpath(root).catch(() => undefined);
  if (real === undefined) return [];
  const { glob, escapePath } = await import('tinyglobby');
  const patterns = await Promise.all(
    globs.map(async (text) => ((await isThere(join(real, text))) ? escapePath(text) : text)),
  );
  const list = (path: string, _options: object, done: Listed): void => listInside(real, path, done);
  // Links are told apart in our listing, so the library sees none.
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
