/**
 * Lays out the files of a bundle on the machine that has them, for a fetch from oneself, which then finds them there
 * and only checks their hashes. Nobody writes to an image any more, so its files are linked; all others are copied.
 */
import { lstat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../../os/errors.js';
import type { ManifestFile } from '../../protocol/manifest.js';
import type { Bundle } from '../transfer.js';
import { createTaskPool } from '../workspace/task-pool.js';
import { createInnerTree } from './inner-tree.js';
import { linkFile, placeFile } from './place-outputs.js';

const FILES_MAX = 8;
const IMAGE_PREFIX = 'image/';

/**
 * Lays out what is not there yet. A file that is gone or has changed is left to the fetch, which refuses it. Throws the
 * file system's other errors, and the signal's reason when it was abandoned.
 */
export async function layOut({ root, manifest }: Bundle, directory: string, signal: AbortSignal): Promise<void> {
  const tree = createInnerTree(directory, 'replace');
  const pool = createTaskPool(FILES_MAX);
  try {
    for (const file of manifest.files) {
      signal.throwIfAborted();
      await tree.ensure(dirname(file.path));
      await pool.add(() => layOutFile(root, directory, file));
    }
  } finally {
    await pool.drain();
  }
}

async function layOutFile(root: string, directory: string, { path, size }: ManifestFile): Promise<void> {
  const [source, target] = [join(root, path), join(directory, path)];
  if ((await readSize(target)) === size || (await readSize(source)) !== size) return;
  const put = path.startsWith(IMAGE_PREFIX) ? linkFile : placeFile;
  await put(source, target).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
}

/** The size of a regular file; `undefined` for anything else, such as a link, which a fetch resolves itself. */
async function readSize(path: string): Promise<number | undefined> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isFile() === true ? stats.size : undefined;
}
