/**
 * Keeps files sparse: blocks of zeros are not written but left out as holes, on the way in and in copies. What a file
 * takes on a disk when it is written so can be counted before.
 */
import { constants } from 'node:fs';
import { copyFile, open, rm, stat, type FileHandle } from 'node:fs/promises';
import { errorCode } from '../../os/errors.js';

/** What most file systems write at once; a hole is a whole block, aligned. */
const BLOCK_BYTES = 4096;
const COPY_BYTES: number = 1024 * 1024;
const ZEROS: Buffer = Buffer.alloc(BLOCK_BYTES);

/**
 * Bytes that a stretch of a file takes which begins at byte `position` of it: whole blocks, those of zeros left out.
 */
export function countRoom(bytes: Buffer, position: number): number {
  let room = 0;
  for (const { from, to } of listData(bytes, position)) {
    room += (Math.ceil((position + to) / BLOCK_BYTES) - Math.floor((position + from) / BLOCK_BYTES)) * BLOCK_BYTES;
  }
  return room;
}

/** Writes a stretch at `position`; blocks of zeros are left out, and the file ends behind it all the same. */
export async function writeSparse(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let end = 0;
  for (const { from, to } of listData(bytes, position)) {
    await writeWhole(handle, bytes.subarray(from, to), position + from);
    end = to;
  }
  if (end < bytes.length) await handle.truncate(position + bytes.length);
}

/** Copies a file with its mode to a path where nothing is, as a clone where the file system can do that. */
export async function copySparse(source: string, target: string): Promise<void> {
  const { size, blocks } = await stat(source);
  // One without holes is copied by the kernel, which is quicker and knows of no holes.
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

/** Fills the buffer, short only at the end of the file: blocks stay aligned. */
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

/** The stretches of `bytes` that hold data, in whole blocks of the file that it is a part of. */
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
  // Most blocks hold something at once.
  return bytes[from] === 0 && bytes.compare(ZEROS, 0, to - from, from, to) === 0;
}
