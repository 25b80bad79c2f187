/**
 * Measures the free space of file systems, and is the only module that calls statfs. Space that cannot be measured
 * counts as unknown and blocks nothing. What to do when space runs out is for the caller to decide.
 */
import { statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './errors.js';

/** Space of one file system in bytes: what an unprivileged user may still write, and the total size. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** The fields of a statfs result that are used here. */
export interface StatFs {
  readonly bavail: number;
  readonly blocks: number;
  readonly bsize: number;
}

/** Limit for a statfs call: on a network file system whose server is gone it never returns. */
const ANSWER_MS = 2000;

/**
 * Space of the file system that holds `path` or its nearest existing ancestor; `undefined` when it cannot be
 * measured.
 */
export function measureDiskSpace(path: string): DiskSpace | undefined {
  for (let place = path; ; place = dirname(place)) {
    try {
      return toSpace(statfsSync(place));
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR') || place === dirname(place)) return undefined;
    }
  }
}

/**
 * Returns one sentence when the file system of `directory` (which need not exist) surely lacks `bytes` bytes of free
 * space; empty otherwise, also when the space is unknown.
 */
export function findRoomObstacle(directory: string, bytes: number): readonly string[] {
  const space = measureDiskSpace(directory);
  if (space === undefined || space.freeBytes >= bytes) return [];
  return [`no room for its image: ${formatMib(bytes)} needed, ${formatMib(space.freeBytes)} free`];
}

/**
 * Creates a reader of the space at `path` that never blocks its caller. Rejects with a sentence when statfs does not
 * answer within `answerMs`. At most one call is outstanding, because each occupies one of the few threads that
 * Node.js has for file operations.
 */
export function createDiskReader(
  path: string,
  ask: (path: string) => Promise<StatFs> = statfs,
  answerMs: number = ANSWER_MS,
): () => Promise<DiskSpace> {
  let open: Promise<DiskSpace> | undefined;
  return async () => {
    open ??= ask(path)
      .then(toSpace)
      .finally(() => (open = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`the file system of ${path} does not answer`)), answerMs);
      timer.unref();
    });
    try {
      return await Promise.race([open, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Root's reserved blocks do not count as free: most jobs do not run as root. */
function toSpace({ bavail, blocks, bsize }: StatFs): DiskSpace {
  const [freeBytes, totalBytes] = [Math.max(0, bavail * bsize), blocks * bsize];
  // Some file systems report no blocks at all (FUSE, an overlay without a lower disk); that does not mean a full
  // disk.
  if (!(totalBytes > 0)) throw new Error('the file system does not say how large it is');
  return { freeBytes, totalBytes };
}

function formatMib(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MiB`;
}
