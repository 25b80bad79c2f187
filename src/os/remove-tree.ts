/**
 * Removes a tree, for every adapter that removes what a job may have made: the one place that knows how. What its owner
 * is not allowed to remove (directories without `u+w`, as `chmod -R a-w` and module caches leave them) is made
 * removable first. It follows no link.
 */
import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, toError } from './errors.js';

/** What is still there, and why, as text for people. */
export interface Leftover {
  readonly path: string;
  readonly reason: string;
}

/** Read, write and search, for its owner. */
const OWNER_MODE = 0o700;

/** Removes `path` with all below it; gives what could not be removed, or nothing. Never rejects. */
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

/** Lets the owner into every directory and change it. Whose they are not, they stay as they are. */
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
