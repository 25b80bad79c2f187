/**
 * One incoming file: kept apart until it is complete and its hash is verified, then moved into place in one step. A
 * small file is gathered in memory and written at once; a large one grows on disk and can be resumed by a later
 * fetch.
 */
import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import type { ManifestFile } from '../../protocol/manifest.js';
import { Refused } from '../outcome.js';
import { hashHandle } from './file-hash.js';
import type { KnownDigests } from './known-digests.js';
import { writeSparse } from './sparse-file.js';
import type { TaskPool } from '../workspace/task-pool.js';

/** Files up to this many bytes are written at once. */
export const SMALL_BYTES_MAX: number = 256 * 1024;

/** A file being received. */
export interface PartFile {
  /** Bytes still missing. */
  left(): number;
  /** Accepts the next bytes, at most {@link left} of them; the chunk is free again once it has resolved. */
  write(chunk: Buffer): Promise<void>;
  /** Checks the hash and moves the file into place. Throws {@link StalePart} or Refused when the hash is wrong. */
  finish(): Promise<void>;
  /** Closes the file; what is on disk stays for a later fetch. */
  close(): Promise<void>;
}

/** A part of an earlier fetch does not fit this file: it is removed, and the file must be fetched again. */
export class StalePart extends Error {
  override readonly name = 'StalePart';
}

/** Where a part grows, and where the finished file goes: absolute paths. */
export interface PartPaths {
  readonly part: string;
  readonly target: string;
}

/** Receives a small file; it is written in `pool`, possibly after `finish` has returned. */
export function createSmallPart(file: ManifestFile, paths: PartPaths, pool: TaskPool): PartFile {
  const chunks: Buffer[] = [];
  let left = file.size;
  return {
    left: () => left,
    write: (chunk) => {
      chunks.push(Buffer.from(chunk));
      left -= chunk.length;
      return Promise.resolve();
    },
    finish: () => {
      const bytes = Buffer.concat(chunks);
      checkHash(file, createHash('sha256').update(bytes).digest('hex'));
      return pool.add(() => writeSmall(file, paths, bytes));
    },
    close: () => Promise.resolve(),
  };
}

async function writeSmall(file: ManifestFile, paths: PartPaths, bytes: Buffer): Promise<void> {
  const handle = await open(paths.part, 'wx', 0o600);
  try {
    await writeSparse(handle, bytes, 0);
    await handle.chmod(file.mode & 0o777);
  } finally {
    await handle.close();
  }
  await rename(paths.part, paths.target);
}

/** Receives a large file, resuming from what an earlier fetch left of it. */
export async function openLargePart(file: ManifestFile, paths: PartPaths, known: KnownDigests): Promise<PartFile> {
  const { handle, hash, kept } = await openPart(file, paths.part);
  let left = file.size - kept;
  return {
    left: () => left,
    // The next bytes come in while these are written. The part has no gaps: its length is where a later fetch resumes.
    write: async (chunk) => {
      hash.update(chunk);
      await writeSparse(handle, chunk, file.size - left);
      left -= chunk.length;
    },
    finish: () => placeLarge(file, paths, { handle, digest: hash.digest('hex'), isResumed: kept > 0, known }),
    close: () => handle.close(),
  };
}

async function openPart(file: ManifestFile, part: string): Promise<{ handle: FileHandle; hash: Hash; kept: number }> {
  const hash = createHash('sha256');
  const stats = await lstat(part).catch(() => undefined);
  if (stats?.isFile() === true && stats.size <= file.size) {
    const handle = await open(part, constants.O_RDWR | constants.O_NOFOLLOW);
    const kept = await hashHandle(handle, hash);
    return { handle, hash, kept };
  }
  await rm(part, { force: true, recursive: true });
  return { handle: await open(part, 'wx', 0o600), hash, kept: 0 };
}

interface Grown {
  readonly handle: FileHandle;
  readonly digest: string;
  readonly isResumed: boolean;
  readonly known: KnownDigests;
}

async function placeLarge(file: ManifestFile, paths: PartPaths, grown: Grown): Promise<void> {
  try {
    checkHash(file, grown.digest);
    await grown.handle.chmod(file.mode & 0o777);
    const stats = await grown.handle.stat({ bigint: true });
    grown.known.remember(file.path, stats, { sha256: file.sha256, room: Number(stats.blocks) * 512 });
  } catch (error) {
    await rm(paths.part, { force: true });
    if (error instanceof Refused && grown.isResumed) throw new StalePart(`what was kept of ${file.path} is not of it`);
    throw error;
  } finally {
    await grown.handle.close();
  }
  await rename(paths.part, paths.target);
}

function checkHash(file: ManifestFile, digest: string): void {
  if (digest === file.sha256) return;
  throw new Refused(`${file.path} has another sha256 than its manifest says: it changed at its source`);
}
