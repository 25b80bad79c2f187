/**
 * Hashes files as streams: memory use does not depend on their size.
 */
import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { countRoom } from './sparse-file.js';

const READ_BYTES: number = 512 * 1024;
/** Most files are small: the first read is sized for them. */
const FIRST_READ_BYTES: number = 64 * 1024;

/** Size, mode, hash and disk space of a file. */
export interface FileDigest {
  readonly size: number;
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  /** 64 hex digits. */
  readonly sha256: string;
  /** Disk space it takes, holes left out, bytes. */
  readonly room: number;
}

/** If a file keeps shrinking while it is read, the last of this many attempts counts. */
const TRIES_MAX = 3;

/**
 * Reads a regular file's digest; `undefined` for anything else. Never follows a link and never blocks on a pipe.
 * Bytes appended meanwhile are ignored, so a file that is written to without end does not block it either.
 */
export async function readDigest(path: string): Promise<FileDigest | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (let left = TRIES_MAX - 1; ; left -= 1) {
      const stats = await handle.stat();
      if (!stats.isFile()) return undefined;
      const hash = createHash('sha256');
      let room = 0;
      const size = await hashHead(handle, hash, stats.size, (bytes, position) => (room += countRoom(bytes, position)));
      if (size === stats.size || left === 0)
        return { size, mode: stats.mode & 0o777, sha256: hash.digest('hex'), room };
    }
  } finally {
    await handle.close();
  }
}

/** Feeds the first `size` bytes of a file to a hash; returns how many there were. */
async function hashHead(
  handle: FileHandle,
  hash: Hash,
  size: number,
  look: (bytes: Buffer, position: number) => void,
): Promise<number> {
  const buffer = Buffer.allocUnsafe(Math.max(1, size < FIRST_READ_BYTES ? size : READ_BYTES));
  let total = 0;
  while (total < size) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - total), total);
    if (bytesRead === 0) break;
    const bytes = buffer.subarray(0, bytesRead);
    hash.update(bytes);
    look(bytes, total);
    total += bytesRead;
  }
  return total;
}

/** Feeds a hash from the handle's position to the end of the file; returns the number of bytes read. */
export async function hashHandle(handle: FileHandle, hash: Hash): Promise<number> {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let total = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return total;
    hash.update(buffer.subarray(0, bytesRead));
    total += bytesRead;
  }
}
