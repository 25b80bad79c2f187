/**
 * The byte stream of a bundle: its files one after the other with nothing in between. Small files are read
 * concurrently, one piece ahead of what is being sent. It never leaves the bundle's directory and never sends a file
 * that differs from its description.
 */
import { constants } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../os/errors.js';
import type { ManifestFile } from '../../protocol/manifest.js';
import { Refused } from '../outcome.js';
import { isBelow } from '../tree/inner-tree.js';
import type { Bundle } from '../transfer.js';

/** Bytes in one piece, and how many files one piece may touch. */
const PIECE_BYTES: number = 1024 * 1024;
const PIECE_FILES_MAX = 32;

/** Which bytes of a file go where in a piece. */
interface Stretch {
  readonly file: ManifestFile;
  readonly from: number;
  readonly length: number;
  readonly at: number;
}

/** The reading position: index of the file, and byte within it. */
interface Place {
  index: number;
  position: number;
}

/** Memory for pieces: one that is given back is used again. */
export interface PieceMemory {
  /** Returns a buffer of {@link PIECE_BYTES}, with any content. */
  take(): Buffer;
  give(buffer: Buffer): void;
}

/** Creates a memory that keeps what it was given. */
export function createPieceMemory(): PieceMemory {
  const free: Buffer[] = [];
  return { take: () => free.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES), give: (buffer) => void free.push(buffer) };
}

/** Every piece gets memory of its own, as much as it needs. */
const FRESH: PieceMemory = { take: () => Buffer.alloc(0), give: () => undefined };

/**
 * Reads the stream from byte `start`. With a `memory`, each piece is at the beginning of a buffer from there, which the
 * reader gives back. Throws {@link Refused} when a file differs from its manifest.
 */
export async function* readBundle(
  bundle: Bundle,
  start: number,
  memory: PieceMemory = FRESH,
): AsyncGenerator<Buffer, void, void> {
  const { files } = bundle.manifest;
  const place = seekPlace(files, start);
  const sources = createSources(bundle.root);
  const readNext = async (): Promise<Buffer> => readPiece(sources, planPiece(files, place), memory);
  let next = readNext();
  try {
    for (;;) {
      const piece = await next;
      if (piece.length === 0) return;
      next = readNext();
      // A rejection surfaces at the next iteration, or never if the reader goes away first.
      next.catch(() => undefined);
      yield piece;
    }
  } finally {
    await Promise.allSettled([next]);
    await sources.close();
  }
}

function seekPlace(files: readonly ManifestFile[], start: number): Place {
  const place = { index: 0, position: start };
  for (const file of files) {
    if (place.position < file.size) break;
    place.position -= file.size;
    place.index += 1;
  }
  return place;
}

/** Plans the next piece and advances `place` past it. */
function planPiece(files: readonly ManifestFile[], place: Place): readonly Stretch[] {
  const piece: Stretch[] = [];
  let at = 0;
  for (; at < PIECE_BYTES && piece.length < PIECE_FILES_MAX;) {
    const file = files[place.index];
    if (file === undefined) break;
    const length = Math.min(file.size - place.position, PIECE_BYTES - at);
    if (length > 0) piece.push({ file, from: place.position, length, at });
    at += length;
    place.position += length;
    if (place.position < file.size) break;
    place.index += 1;
    place.position = 0;
  }
  return piece;
}

async function readPiece(sources: Sources, stretches: readonly Stretch[], memory: PieceMemory): Promise<Buffer> {
  const last = stretches.at(-1);
  if (last === undefined) return Buffer.alloc(0);
  const length = last.at + last.length;
  const taken = memory.take();
  const piece = taken.length >= length ? taken.subarray(0, length) : Buffer.allocUnsafeSlow(length);
  try {
    await Promise.all(stretches.map((stretch) => readStretch(sources, stretch, piece)));
  } finally {
    const isUnfinished = last.from + last.length < last.file.size;
    await sources.close(isUnfinished ? last.file : undefined);
  }
  return piece;
}

async function readStretch(sources: Sources, { file, from, length, at }: Stretch, piece: Buffer): Promise<void> {
  const handle = await sources.open(file);
  for (let done = 0; done < length;) {
    const { bytesRead } = await handle.read(piece, at + done, length - done, from + done);
    if (bytesRead === 0) throw describeChange(file, 'it is shorter now');
    done += bytesRead;
  }
}

/** The open files of a bundle. One that takes several pieces stays open from piece to piece. */
interface Sources {
  open(file: ManifestFile): Promise<FileHandle>;
  /** Closes all but one. */
  close(except?: ManifestFile): Promise<void>;
}

function createSources(root: string): Sources {
  const handles = new Map<ManifestFile, Promise<FileHandle>>();
  return {
    open: (file) => {
      const handle = handles.get(file) ?? openSource(root, file);
      handles.set(file, handle);
      return handle;
    },
    close: async (except) => {
      const done = [...handles].filter(([file]) => file !== except);
      for (const [file] of done) handles.delete(file);
      const opened = await Promise.allSettled(done.map(([, handle]) => handle));
      await Promise.all(opened.map(async (one) => one.status === 'fulfilled' && one.value.close()));
    },
  };
}

async function openSource(root: string, file: ManifestFile): Promise<FileHandle> {
  const handle = await openRegular(root, file);
  const stats = await handle.stat();
  // Bytes appended since are not part of the bundle; the fetching side verifies the rest.
  if (stats.isFile() && stats.size >= file.size) return handle;
  await handle.close();
  throw describeChange(file, `it has ${stats.size} bytes, not ${file.size}`);
}

/** O_NONBLOCK: opening a pipe put in the file's place must not hang. A link is followed only within the bundle. */
async function openRegular(root: string, file: ManifestFile): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const path = join(root, file.path);
  try {
    return await open(path, flags).catch(async (error: unknown) => {
      if (errorCode(error) !== 'ELOOP') throw error;
      const target = await realpath(path);
      if (!isBelow(await realpath(root), target)) throw describeChange(file, 'it leads out of its directory');
      return open(target, flags);
    });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw describeChange(file, 'it is gone');
    if (code === 'ELOOP') throw describeChange(file, 'it is a link that goes in a circle');
    if (code === 'EACCES' || code === 'ENXIO') throw describeChange(file, 'it cannot be read');
    throw error;
  }
}

function describeChange(file: ManifestFile, how: string): Refused {
  return new Refused(`${file.path} changed after it was described: ${how}`);
}
