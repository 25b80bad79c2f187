/**
 * Hashes files as streams: memory use does not depend on their size.
 */
import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { KnownDigests } from './known-digests.js';
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

/** The path of a file in its manifest, and what is known of such files. */
export interface DigestMemory {
  readonly path: string;
  readonly known: KnownDigests;
}

/**
 * Reads a regular file's digest; `undefined` for anything else. Never follows a link and never blocks on a pipe.
 * Bytes appended meanwhile are ignored, so a file that is written to without end does not block it either. With a
 * `memory`, only what is not known there is read.
 */
export async function readDigest(path: string, memory?: DigestMemory): Promise<FileDigest | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    for (let left = TRIES_MAX - 1; ; left -= 1) {
      const stats = await handle.stat({ bigint: true });
      if (!stats.isFile()) return undefined;
      const facts = { size: Number(stats.size), mode: Number(stats.mode) & 0o777 };
      const known = memory?.known.find(memory.path, stats);
      if (known !== undefined) return { ...facts, ...known };
      const head = memory?.known.findHead(memory.path, stats);
      const hash = head?.hash.copy() ?? createHash('sha256');
      let room = head?.room ?? 0;
      const size = await hashHead(handle, hash, { from: head?.bytes ?? 0, to: facts.size }, (bytes, position) => {
        room += countRoom(bytes, position);
      });
      if (size !== facts.size && left > 0) continue;
      const digest = { sha256: hash.digest('hex'), room };
      if (size === facts.size) memory?.known.remember(memory.path, stats, digest);
      return { ...facts, size, ...digest };
    }
  } finally {
    await handle.close();
  }
}

/** Feeds the bytes from `from` to `to` of a file to a hash; returns where they ended. */
async function hashHead(
  handle: FileHandle,
  hash: Hash,
  { from, to }: { readonly from: number; readonly to: number },
  look: (bytes: Buffer, position: number) => void,
): Promise<number> {
  const bytesMax = Math.max(1, to - from < FIRST_READ_BYTES ? to - from : READ_BYTES);
  const readAt = async (buffer: Buffer, at: number): Promise<Buffer> => {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - at), at);
    return buffer.subarray(0, bytesRead);
  };
  let [current, other] = [Buffer.allocUnsafe(bytesMax), Buffer.alloc(0)];
  let bytes = from < to ? await readAt(current, from) : NOTHING_READ;
  let at = from;
  while (bytes.length > 0) {
    const next = at + bytes.length;
    // The next bytes are read while these are hashed.
    if (next < to && other.length === 0) other = Buffer.allocUnsafe(bytesMax);
    const reading = next < to ? readAt(other, next) : Promise.resolve(NOTHING_READ);
    hash.update(bytes);
    look(bytes, at);
    at = next;
    [current, other] = [other, current];
    bytes = await reading;
  }
  return at;
}

const NOTHING_READ: Buffer = Buffer.alloc(0);

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
