/**
 * Hashes the memory pages of an image while criu writes them, from the first byte on, so that little is left to hash
 * when the process is stopped and the image complete. Whoever receives the image checks all bytes.
 */
import { createHash, type Hash } from 'node:crypto';
import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { KnownDigests } from './known-digests.js';
import { countRoom } from './sparse-file.js';

const PAGES_PATTERN = /^pages-\d+\.img$/;
const READ_BYTES: number = 1024 * 1024;
/** Pause when nothing has grown. */
const LOOK_MS = 4;
/** When nothing has grown for this long, no image is being written any more. */
const IDLE_MS = 10_000;

/** An image that is followed. */
export interface FollowedImage {
  /** Stops and resolves when what was hashed is in the memory of hashes. */
  stop(): Promise<void>;
}

interface Growing {
  readonly path: string;
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
  readonly hash: Hash;
  bytes: number;
  room: number;
}

/** Follows what appears in `image/` of a run's directory. Faults are left to whoever reads the image later. */
export function followImage(directory: string, known: KnownDigests): FollowedImage {
  const stopped = new AbortController();
  const following = follow(join(directory, 'image'), known, stopped.signal).catch(() => undefined);
  return {
    stop: async () => {
      stopped.abort();
      await following;
    },
  };
}

async function follow(image: string, known: KnownDigests, signal: AbortSignal): Promise<void> {
  const files = new Map<string, Growing>();
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  let grewAt = performance.now();
  try {
    while (!signal.aborted && performance.now() - grewAt < IDLE_MS) {
      await openNew(image, files);
      let hasGrown = false;
      for (const file of files.values()) if (await advance(file, buffer, known, signal)) hasGrown = true;
      if (hasGrown) grewAt = performance.now();
      else await pause(LOOK_MS, undefined, { signal });
    }
  } finally {
    for (const { handle } of files.values()) await handle.close();
  }
}

async function openNew(image: string, files: Map<string, Growing>): Promise<void> {
  const names = await readdir(image).catch(() => []);
  for (const name of names.filter((one) => PAGES_PATTERN.test(one))) {
    const opened = files.get(name);
    // The image of an earlier dump may still have been there.
    if (opened !== undefined && (await lstat(join(image, name), { bigint: true })).ino === opened.stats.ino) continue;
    await opened?.handle.close();
    files.delete(name);
    const handle = await open(join(image, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat({ bigint: true });
    files.set(name, { path: `image/${name}`, handle, stats, hash: createHash('sha256'), bytes: 0, room: 0 });
  }
}

/** Hashes what has been appended; returns whether there was any. */
async function advance(file: Growing, buffer: Buffer, known: KnownDigests, signal: AbortSignal): Promise<boolean> {
  const before = file.bytes;
  while (!signal.aborted) {
    const { bytesRead } = await file.handle.read(buffer, 0, buffer.length, file.bytes);
    if (bytesRead === 0) break;
    const bytes = buffer.subarray(0, bytesRead);
    file.hash.update(bytes);
    file.room += countRoom(bytes, file.bytes);
    file.bytes += bytesRead;
  }
  if (file.bytes === before) return false;
  known.rememberHead(file.path, file.stats, { hash: file.hash.copy(), bytes: file.bytes, room: file.room });
  return true;
}
