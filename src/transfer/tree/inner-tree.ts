/**
 * Makes directories below a root, and none anywhere else: a symbolic link on the way down never leads out of the root.
 * What happens to such a link is the caller's choice: in a directory of ours it is replaced, in one of the user's it is
 * refused.
 */
import { lstat, mkdir, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { errorCode } from '../../os/errors.js';
import { Refused } from '../outcome.js';

/** Directories below one root, remembered once they are made. */
export interface InnerTree {
  /** Makes the directory `path` (relative, `/` between its parts; `.` is the root) and its parents. */
  ensure(path: string): Promise<void>;
}

/**
 * Makes an {@link InnerTree}. With `replace` a link or file where a directory belongs is removed; with `refuse` a link
 * to a directory inside the root is followed, and anything else in the way is an error.
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

/** Whether the real path `path` is `root` or below it; both must be real. */
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
