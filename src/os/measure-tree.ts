/** How large files and trees are. */
import { readdirSync, statSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Bytes of all blocks at and below `path`: holes left out, each name counted; 0 when nothing is there. It follows no
 * link, and passes over what it may not read.
 */
export async function measureTree(path: string): Promise<number> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return 0;
  // Not every system counts blocks.
  let bytes = typeof stats.blocks === 'number' ? stats.blocks * 512 : stats.size;
  if (!stats.isDirectory()) return bytes;
  const names = await readdir(path).catch(() => []);
  for (const name of names) bytes += await measureTree(join(path, name));
  return bytes;
}

/** Bytes of the files in a directory, holes too. Throws what the file system does. */
export function measureFiles(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}
