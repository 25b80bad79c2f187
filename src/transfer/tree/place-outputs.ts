/**
 * Puts files that came home where the user wants them. Each file appears whole or not at all, an existing one is
 * replaced, and no link inside the destination can lead a file out of it.
 */
import { randomBytes } from 'node:crypto';
import { link, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, hasCode } from '../../os/errors.js';
import { Refused } from '../outcome.js';
import { createInnerTree } from './inner-tree.js';
import { copySparse } from './sparse-file.js';
import { walkTree } from './tree-walk.js';

/** Copies the tree `source` into `destination`, which is created; does nothing if `source` does not exist. */
export async function placeTree(source: string, destination: string): Promise<void> {
  const tree = createInnerTree(destination, 'refuse');
  try {
    for await (const entry of walkTree(source, 'skip')) {
      await tree.ensure(entry.kind === 'directory' ? entry.path : dirname(entry.path));
      if (entry.kind === 'file') await placeFile(entry.source, join(destination, entry.path));
    }
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || !isAbout(error, source)) throw error;
  }
}

function isAbout(error: unknown, path: string): boolean {
  return error instanceof Error && 'path' in error && error.path === path;
}

/** Copies one file with its mode; it appears in a single step. */
export async function placeFile(source: string, target: string): Promise<void> {
  await swapIn(target, (draft) => copySparse(source, draft));
}

/** Hard-links one file in a single step; copies it where the file system has no hard links. */
export async function linkFile(source: string, target: string): Promise<void> {
  try {
    await swapIn(target, (draft) => link(source, draft));
  } catch (error) {
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EMLINK', 'ENOSYS', 'EXDEV')) throw error;
    await placeFile(source, target);
  }
}

/** Makes a file appear at `target` in a single step: `fill` writes a draft next to it. Refused if it is a directory. */
export async function swapIn(target: string, fill: (draft: string) => Promise<void>): Promise<void> {
  const draft = join(dirname(target), `.${randomBytes(8).toString('hex')}.tritmesh`);
  try {
    await fill(draft);
    await rename(draft, target);
  } catch (error) {
    if (!hasCode(error, 'EISDIR', 'ENOTEMPTY', 'EEXIST')) throw error;
    throw new Refused(`${target} is in the way: it is a directory`);
  } finally {
    // Needed after a successful rename too: between two names of the same file it does nothing and leaves both.
    await rm(draft, { force: true });
  }
}
