/**
 * How much room a file system has, for every adapter that asks: the one place that calls statfs. Room that cannot be
 * told is not known, and what is not known keeps nobody from trying. It decides nothing.
 */
import { statfsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode } from './errors.js';

/** Room of one file system, in bytes: what an ordinary user may still write, and all that there is. */
export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What is used of the answer of statfs. */
export interface StatFs {
  readonly bavail: number;
  readonly blocks: number;
  readonly bsize: number;
}

/** How long statfs may take: a network file system whose server is gone answers never. */
const ANSWER_MS = 2000;

/** Room where `path`, or the nearest directory above it that is there, lies; `undefined` if nobody can tell. */
export function measureDiskSpace(path: string): DiskSpace | undefined {
  for (let place = path; ; place = dirname(place)) {
    try {
      return toSpace(statfsSync(place));
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR') || place === dirname(place)) return undefined;
    }
  }
}

/** Says when there is surely no room for so many bytes below `directory`, which need not be there. */
export function findRoomObstacle(directory: string, bytes: number): readonly string[] {
  const space = measureDiskSpace(directory);
  if (space === undefined || space.freeBytes >= bytes) return [];
  return [`no room for its image: ${formatMib(bytes)} needed, ${formatMib(space.freeBytes)} free`];
}

/**
 * Makes a reader of the room at `path` that never holds its caller up. Rejects with a sentence when there is no answer
 * in time; as long as that question is open no other one is asked, since each takes one of the few threads for files.
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

/** Blocks that only root may write do not count: most jobs do not run as root, and the last of a disk is not theirs. */
function toSpace({ bavail, blocks, bsize }: StatFs): DiskSpace {
  const [freeBytes, totalBytes] = [Math.max(0, bavail * bsize), blocks * bsize];
  // Some file systems count nothing (a FUSE one, an overlay without a lower disk): that is no full disk.
  if (!(totalBytes > 0)) throw new Error('the file system does not say how large it is');
  return { freeBytes, totalBytes };
}

function formatMib(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MiB`;
}
