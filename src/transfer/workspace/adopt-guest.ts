/**
 * Brings home what a guest left on this machine without a transfer: the same files in the same places as a fetch
 * would bring. Files are linked, and nothing is removed from the guest, so an interrupted adoption can be repeated.
 */
import { createReadStream } from 'node:fs';
import { lstat, readFile, realpath, rename, truncate, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../../os/errors.js';
import { manifestSchema, type Manifest, type ManifestFile } from '../../protocol/manifest.js';
import { createInnerTree } from '../tree/inner-tree.js';
import { linkFile, swapIn } from '../tree/place-outputs.js';
import { createTaskPool } from './task-pool.js';
import { NOTHING } from '../tree/build-manifest.js';

/**
 * Records what was collected, unless it is only the unchanged streams, so that adopting brings exactly that even
 * after the node has restarted.
 */
export async function rememberCollected(guest: string, manifest: Manifest): Promise<void> {
  const path = collectedPath(guest);
  const { files, directories } = manifest;
  const isBare =
    directories.length === 0 && files.every((file) => STREAMS.includes(file.path)) && !(await hasGrown(guest, files));
  if (isBare) return forget(path);
  await writeFile(`${path}.new`, JSON.stringify({ files, directories }));
  await rename(`${path}.new`, path);
}

/**
 * Links what was collected in `guest` into `home` and returns its manifest, empty if there were only streams. The
 * guest's directory is removed later, like that of any guest.
 */
export async function adoptCollected(guest: string, home: string): Promise<Manifest> {
  const remembered = await recallCollected(guest);
  const manifest = remembered ?? NOTHING;
  const tree = createInnerTree(home, 'replace');
  await tree.ensure('.');
  if (remembered === undefined) for (const name of STREAMS) await adoptStream(join(guest, name), join(home, name));
  for (const path of manifest.directories) await tree.ensure(path);
  const pool = createTaskPool(LINKS_MAX);
  try {
    for (const file of manifest.files) {
      await tree.ensure(dirname(file.path));
      // Brings the target of a symbolic link home, not the link: on its own it would point nowhere.
      await pool.add(async () => adoptFile(await realpath(join(guest, file.path)), join(home, file.path), file.size));
    }
  } finally {
    await pool.drain();
  }
  return manifest;
}

/** Files linked at a time: node has four threads for files. */
const LINKS_MAX = 8;
const STREAMS: readonly string[] = ['stdout', 'stderr'];

async function forget(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
}

/** `undefined` when there were only streams, which have not changed since. */
async function recallCollected(guest: string): Promise<Manifest | undefined> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(collectedPath(guest), 'utf8')));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function collectedPath(guest: string): string {
  return join(guest, 'collected.json');
}

/** A stream may still be written to: then its size when it was described has to be recorded. */
async function hasGrown(guest: string, files: readonly ManifestFile[]): Promise<boolean> {
  const described = new Map(files.map(({ path, size }) => [path, size]));
  const stats = await Promise.all(STREAMS.map((name) => lstat(join(guest, name)).catch(() => undefined)));
  return stats.some((one, at) => one?.isFile() === true && one.size !== (described.get(STREAMS[at] ?? '') ?? 0));
}

/** A file that has grown since is copied up to its described size: a hard link would keep growing at home. */
async function adoptFile(source: string, target: string, size: number): Promise<void> {
  const stats = await lstat(source);
  if (stats.size <= size) return linkFile(source, target);
  await swapIn(target, async (draft) => {
    await writeFile(draft, createReadStream(source, { start: 0, end: Math.max(0, size - 1) }), {
      mode: stats.mode & 0o777,
    });
    if (size === 0) await truncate(draft);
  });
}

async function adoptStream(source: string, target: string): Promise<void> {
  const stats = await lstat(source).catch(() => undefined);
  if (stats?.isFile() === true && stats.size > 0) await linkFile(source, target);
}
