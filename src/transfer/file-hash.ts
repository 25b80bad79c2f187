/**
 * Hashes files as streams, so that memory stays flat whatever their size.
 */
import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

const READ_BYTES: number = 512 * 1024;
/** Most files are small: the first read is sized for them. */
const FIRST_READ_BYTES: number = 64 * 1024;

/** What was found out about a file. */
export interface FileFacts {
  readonly size: number;
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  /** 64 hex digits. */
  readonly sha256: string;
}

/** Reads a regular file's facts; `undefined` if it is none. Never follows a link and never waits for a pipe. */
export async function readFacts(path: string): Promise<FileFacts | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) return undefined;
    const hash = createHash('sha256');
    const size = await hashHandle(handle, hash, stats.size);
    return { size, mode: stats.mode & 0o777, sha256: hash.digest('hex') };
  } finally {
    await handle.close();
  }
}

/** Feeds a hash from where the handle stands to the end; gives the bytes read. `expected` sizes the buffer. */
export async function hashHandle(handle: FileHandle, hash: Hash, expected: number = READ_BYTES): Promise<number> {
  // One byte more than expected, so that the read which meets the end is usually the first.
  const buffer = Buffer.allocUnsafe(expected < FIRST_READ_BYTES ? expected + 1 : READ_BYTES);
  let total = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return total;
    hash.update(buffer.subarray(0, bytesRead));
    total += bytesRead;
    if (bytesRead < buffer.length && total === expected) return total;
  }
}
