/**
 * Where what is removed goes first: one step takes it out of its place, so that no half of it stands there, and what
 * cannot be removed is kept in one place, to be tried again at the next start. What stays is told once.
 */
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Subject, type Observable } from 'rxjs';
import { errorCode } from '../../os/errors.js';
import { removeTree, type Leftover } from '../../os/remove-tree.js';

/** Removes trees of one state directory. */
export interface Trash {
  /** Removes `path`. Never rejects; what stays is told. */
  remove(path: string): Promise<void>;
  /** Tries once more to remove what could not be; gives what still cannot. */
  empty(): Promise<readonly Leftover[]>;
  /** What could not be removed, each once. */
  readonly left$: Observable<Leftover>;
}

/** Directory of the trash below a state directory. */
export const TRASH_DIRECTORY = 'trash';

/** Makes the trash of a state directory; nothing is made on disk until it is needed. */
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

/** Where it is now: in the trash, or where it was when it cannot be moved; nothing when it is not there. */
async function moveAway(path: string, trash: string): Promise<string | undefined> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return undefined;
  const target = join(trash, randomBytes(8).toString('hex'));
  try {
    await mkdir(trash, { recursive: true, mode: 0o700 });
    // To be moved a directory must be writable itself.
    if (stats.isDirectory() && (stats.mode & 0o700) !== 0o700) await chmod(path, (stats.mode & 0o7777) | 0o700);
    await rename(path, target);
    return target;
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? undefined : path;
  }
}
