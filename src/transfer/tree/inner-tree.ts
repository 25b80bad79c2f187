/**
 * Creates directories below a root and never anywhere else: a symbolic link on the way down cannot lead out of the
 * root. The caller chooses what happens to such a link: it is replaced in a directory of ours, and refused in a
 * directory of the user's.
 */
import { lstat, mkdir, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { errorCode } from '../../os/errors.js';
import { Refused } from '../outcome.js';

/** Directories below one root; those already created are remembered. */
export interface InnerTree {
  /** Creates the directory `path` (relative, `/` as separator; `.` is the root) and its parents. */
  ensure(path: string): Promise<void>;
}

/**
 * Creates an {@link InnerTree}. With `replace`, a link or file in the place of a directory is removed. With `refuse`,
 * a link to a directory inside the root is followed, and any other obstacle throws Refused.
 */
export function createInnerTree(root: string, obstacles: 'replace' | 'refuse'): InnerTree {
  const made = new Set<string>();
  const clear = obstacles === 'replace' ? replaceObstacle : (path: string) => checkObstacle(root, path);

  async function ensure(path: string): Promise<void> {
    if (made.has(path)) return;
    if (path === '.') await mkdir(root, { recursive: true });
    else {
      await ensure(dirname(path));
      await makeStep(join(root, path), clear);
    }
    made.add(path);
  }

  return { ensure };
}

/** Whether the real path `path` is `root` or below it; both must be real paths. */
export function isBelow(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

async function makeStep(path: string, clear: (path: string) => Promise<void>): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    if (!(await lstat(path)).isDirectory()) await clear(path);
  }
}

async function replaceObstacle(path: string): Promise<void> {
  await rm(path);
  await mkdir(path);
}

async function checkObstacle(root: string, path: string): Promise<void> {
  const target = await realpath(path).catch(() => undefined);
  if (target === undefined || !isBelow(await realpath(root), target)) {
    throw new Refused(`${path} is in the way: it is a link that leads out of ${root}`);
  }
  if (!(await stat(target)).isDirectory()) throw new Refused(`${path} is in the way: it is not a directory`);
}
