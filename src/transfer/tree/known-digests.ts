/**
 * Hashes of image files that this process has computed from their bytes: nobody writes to such a file once it is
 * complete, and hashing gigabytes again would keep a process stopped. A file counts as the same while inode, size and
 * time of change are, so one that was replaced or written to is hashed again.
 */
import type { Hash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';

/** What is known of a file's bytes. */
export interface KnownDigest {
  /** 64 hex digits. */
  readonly sha256: string;
  /** Disk space it takes, holes left out, bytes. */
  readonly room: number;
}

/** The beginning of a file that is being written from its beginning to its end. */
export interface HashedHead {
  readonly hash: Hash;
  /** How many bytes were hashed, and the disk space they take. */
  readonly bytes: number;
  readonly room: number;
}

/** Hashes by file. `path` is that of the manifest; only files below `image/` are known. */
export interface KnownDigests {
  find(path: string, stats: BigIntStats): KnownDigest | undefined;
  remember(path: string, stats: BigIntStats, digest: KnownDigest): void;
  findHead(path: string, stats: BigIntStats): HashedHead | undefined;
  rememberHead(path: string, stats: BigIntStats, head: HashedHead): void;
}

/** Only large files are worth it. */
const BYTES_MIN = 1024n * 1024n;
const KEPT_MAX = 256;
const IMAGE_PREFIX = 'image/';

/** Creates an empty memory. */
export function createKnownDigests(): KnownDigests {
  const digests = new Map<string, KnownDigest & { readonly size: bigint; readonly changedAt: bigint }>();
  const heads = new Map<string, HashedHead>();
  return {
    find: (path, stats) => {
      const known = digests.get(keyOf(path, stats));
      if (known?.size !== stats.size || known.changedAt !== stats.mtimeNs) return undefined;
      return { sha256: known.sha256, room: known.room };
    },
    remember: (path, stats, { sha256, room }) => {
      if (stats.size < BYTES_MIN) return;
      keep(digests, keyOf(path, stats), { sha256, room, size: stats.size, changedAt: stats.mtimeNs });
    },
    findHead: (path, stats) => {
      const head = heads.get(keyOf(path, stats));
      return head !== undefined && head.bytes <= stats.size ? head : undefined;
    },
    rememberHead: (path, stats, head) => keep(heads, keyOf(path, stats), head),
  };
}

/** The time of birth distinguishes a file from a later one with its inode. */
function keyOf(path: string, { dev, ino, birthtimeNs }: BigIntStats): string {
  return path.startsWith(IMAGE_PREFIX) ? `${dev}:${ino}:${birthtimeNs}` : '';
}

function keep<T>(all: Map<string, T>, key: string, value: T): void {
  if (key === '') return;
  all.delete(key);
  all.set(key, value);
  const [oldest] = all.keys();
  if (all.size > KEPT_MAX && oldest !== undefined) all.delete(oldest);
}
