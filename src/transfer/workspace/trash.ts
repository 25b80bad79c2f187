/**
 * Removed trees are first moved to the trash: one step takes a tree out of its place, where no half of it remains.
 * What cannot be removed stays in the trash to be tried again at the next start, and is reported once.
 */
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Subject, type Observable } from 'rxjs';
import { errorCode } from '../../os/errors.js';
import { removeTree, type Leftover } from '../../os/remove-tree.js';

/** Removes trees of one state directory. */
export interface Trash {
  /** Removes `path`. Never rejects; what remains is reported by {@link left$}. */
  remove(path: string): Promise<void>;
  /** Tries again to remove what could not be removed; returns what still cannot. */
  empty(): Promise<readonly Leftover[]>;
  /** What could not be removed, each once. */
  readonly left$: Observable<Leftover>;
}

/** Name of the trash directory below a state directory. */
export const TRASH_DIRECTORY = 'trash';

/** Creates the trash of a state directory; nothing is created on disk before it is needed. */
export function createTrash(stateDir: string): Trash {
  const trash = join(stateDir, TRASH_DIRECTORY);
  const left$ = new Subject<Leftover>();

  async function remove(path: string): Promise<void> {
    const moved = await moveAway(path, trash);
    if (moved === undefined) return;
    const left = await removeTree(moved);
    if (left !== undefined) left$.next({ path: left.path, reason: `was to be removed from ${path}: ${left.reason}` });
  }

  async function empty(): Promise<readonly Leftover[]> {
    const left: Leftover[] = [];
    for (const name of await readdir(trash).catch(() => [])) {
      const one = await removeTree(join(trash, name));
      if (one !== undefined) left.push(one);
    }
    return left;
  }

  return { remove, empty, left$ };
}

/** Returns the new path in the trash, or the old one if it cannot be moved; `undefined` if it does not exist. */
async function moveAway(path: string, trash: string): Promise<string | undefined> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return undefined;
  const target = join(trash, randomBytes(8).toString('hex'));
  try {
    await mkdir(trash, { recursive: true, mode: 0o700 });
    // A directory must itself be writable to be moved.
    if (stats.isDirectory() && (stats.mode & 0o700) !== 0o700) await chmod(path, (stats.mode & 0o7777) | 0o700);
    await rename(path, target);
    return target;
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? undefined : path;
  }
}
