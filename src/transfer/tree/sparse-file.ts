/**
 * Keeps files sparse: blocks of zeros are left out as holes, both in received files and in copies. The disk space a
 * file will take can be computed beforehand.
 */
import { constants } from 'node:fs';
import { copyFile, open, rm, stat, type FileHandle } from 'node:fs/promises';
import { errorCode } from '../../os/errors.js';

/** Block size of most file systems; a hole is a whole, aligned block. */
const BLOCK_BYTES = 4096;
const COPY_BYTES: number = 1024 * 1024;
const ZEROS: Buffer = Buffer.alloc(BLOCK_BYTES);

/**
 * Disk space taken by part of a file that starts at byte `position`, in bytes: whole blocks, without those of zeros.
 */
export function countRoom(bytes: Buffer, position: number): number {
  let room = 0;
  for (const { from, to } of listData(bytes, position)) {
    room += (Math.ceil((position + to) / BLOCK_BYTES) - Math.floor((position + from) / BLOCK_BYTES)) * BLOCK_BYTES;
  }
  return room;
}

/** Writes bytes at `position` and leaves out blocks of zeros; the file still extends to the last byte. */
export async function writeSparse(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let end = 0;
  for (const { from, to } of listData(bytes, position)) {
    await writeWhole(handle, bytes.subarray(from, to), position + from);
    end = to;
  }
  if (end < bytes.length) await handle.truncate(position + bytes.length);
}

/** Copies a file with its mode to a path that does not exist yet, as a clone if the file system supports it. */
export async function copySparse(source: string, target: string): Promise<void> {
  const { size, blocks } = await stat(source);
  // Small files and files without holes are left to the kernel's copy: it is faster, but does not preserve holes.
  if (size < COPY_BYTES || blocks * 512 >= size) {
    return copyFile(source, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  }
  try {
    return await copyFile(source, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw error;
    await rm(target, { force: true });
  }
  await copyData(source, target);
}

async function copyData(source: string, target: string): Promise<void> {
  const from = await open(source, 'r');
  try {
    const { mode } = await from.stat();
    const to = await open(target, 'wx', 0o600);
    try {
      const buffer = Buffer.allocUnsafe(COPY_BYTES);
      for (let position = 0; ;) {
        const bytesRead = await readWhole(from, buffer, position);
        if (bytesRead === 0) break;
        await writeSparse(to, buffer.subarray(0, bytesRead), position);
        position += bytesRead;
      }
      await to.chmod(mode & 0o7777);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

/** Fills the buffer, short only at the end of the file, which keeps blocks aligned. */
async function readWhole(handle: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let done = 0;
  while (done < buffer.length) {
    const { bytesRead } = await handle.read(buffer, done, buffer.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

async function writeWhole(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

/** The ranges of `bytes` that hold data, extended to whole blocks of the file they belong to. */
function listData(bytes: Buffer, position: number): { readonly from: number; readonly to: number }[] {
  const stretches: { from: number; to: number }[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = Math.min(bytes.length, at + BLOCK_BYTES - ((position + at) % BLOCK_BYTES));
    if (!isZero(bytes, at, next)) {
      const last = stretches.at(-1);
      if (last?.to === at) last.to = next;
      else stretches.push({ from: at, to: next });
    }
    at = next;
  }
  return stretches;
}

function isZero(bytes: Buffer, from: number, to: number): boolean {
  // Most blocks have data in their first byte.
  return bytes[from] === 0 && bytes.compare(ZEROS, 0, to - from, from, to) === 0;
}
