/**
 * Removes directory trees that jobs may have created. Directories that their owner cannot delete from (without `u+w`,
 * as left by `chmod -R a-w` and module caches) are made writable first. It never follows symlinks.
 */
import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, toError } from './errors.js';

/** What could not be removed, and why, as text for people. */
export interface Leftover {
  readonly path: string;
  readonly reason: string;
}

/** `rwx` for the owner. */
const OWNER_MODE = 0o700;

/**
 * Removes `path` and everything below it. Resolves to the first thing that could not be removed, or `undefined`.
 * Never rejects.
 */
export async function removeTree(path: string): Promise<Leftover | undefined> {
  const fault = await tryRemoving(path);
  if (fault === undefined || !hasCode(fault, 'EACCES', 'EPERM')) return describe(path, fault);
  await openUp(path);
  return describe(path, await tryRemoving(path));
}

async function tryRemoving(path: string): Promise<Error | undefined> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
    return undefined;
  } catch (error) {
    return toError(error);
  }
}

/** Gives the owner full access to every directory of the tree; directories of other users stay as they are. */
async function openUp(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isDirectory() !== true) return;
  if ((stats.mode & OWNER_MODE) !== OWNER_MODE)
    await chmod(path, (stats.mode & 0o7777) | OWNER_MODE).catch(() => undefined);
  const names = await readdir(path).catch(() => []);
  for (const name of names) await openUp(join(path, name));
}

function describe(path: string, fault: Error | undefined): Leftover | undefined {
  if (fault === undefined) return undefined;
  const inner = 'path' in fault && typeof fault.path === 'string' ? fault.path : path;
  return { path: inner, reason: fault.message };
}
