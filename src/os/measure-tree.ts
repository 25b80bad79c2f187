/** Measures the size of files and directory trees. */
import { readdirSync, statSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Bytes allocated at and below `path`: holes do not count, hard links count once per name; 0 when nothing is there.
 * Follows no symlinks and skips what it cannot read.
 */
export async function measureTree(path: string): Promise<number> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return 0;
  // Not every platform reports blocks.
  let bytes = typeof stats.blocks === 'number' ? stats.blocks * 512 : stats.size;
  if (!stats.isDirectory()) return bytes;
  const names = await readdir(path).catch(() => []);
  for (const name of names) bytes += await measureTree(join(path, name));
  return bytes;
}

/** Sum of the file sizes in `directory` in bytes, holes included. Throws the file system's errors. */
export function measureFiles(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}
