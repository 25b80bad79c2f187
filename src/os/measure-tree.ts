/** How much a tree takes on its disk: holes left out, each name counted. It follows no link, and passes over what it may not read. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of all blocks at and below `path`; 0 when nothing is there. */
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
