/**
 * Disk space of a node: what is left for guests beyond its reserve, when it stops taking work, and what items need. An
 * amount that cannot be determined is `undefined` and never keeps an item away.
 */
import { explain, type Reason } from '../../protocol/reasons.js';
import type { Need } from '../../protocol/item.js';

/** Space on the file system of the state directory, bytes. */
export interface DiskSample {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** An amount of disk space: `bytes`, but at most `percent` of the whole. */
export interface DiskAmount {
  readonly bytes: number;
  readonly percent: number;
}

/** What a node knows about its disk. */
export interface DiskState {
  /** Free bytes beyond the reserve; 0 if there are none. */
  readonly room: number;
  /** It is below its reserve, or was until recently: no new work is accepted. */
  readonly isFull: boolean;
  /** The reserve, bytes. */
  readonly reserve: number;
  readonly freeBytes: number;
}

/**
 * A full disk counts as full until this share of the reserve is free beyond it, else it would flap with each log line.
 */
const LEAVE_SHARE = 0.1;

/** Resolves an amount against the whole, bytes. */
export function amountOf(amount: DiskAmount, whole: number): number {
  return Math.floor(Math.min(amount.bytes, (whole * amount.percent) / 100));
}

/** The next state after a sample. */
export function stepDisk(before: DiskState | undefined, sample: DiskSample, reserve: DiskAmount): DiskState {
  const kept = amountOf(reserve, sample.totalBytes);
  const beyond = sample.freeBytes - kept;
  const isFull = beyond <= (before?.isFull === true ? kept * LEAVE_SHARE : 0);
  return { room: isFull ? 0 : beyond, isFull, reserve: kept, freeBytes: sample.freeBytes };
}

/**
 * The free space that a state publishes: 0 if the node takes no work, else at least 1, rounded down in steps of a
 * thirty-second so that small changes do not show.
 */
export function roundSpace(space: number, isFull: boolean): number {
  if (isFull) return 0;
  if (space < 1) return 1;
  const step = 2 ** Math.max(0, Math.floor(Math.log2(space)) - PRECISION_BITS);
  return Math.floor(space / step) * step;
}

/** Rounds a need up in the same steps: a queue of items with many sizes then has few different needs. */
export function roundNeed(bytes: number): number {
  if (bytes < 1) return 0;
  const step = 2 ** Math.max(0, Math.floor(Math.log2(bytes)) - PRECISION_BITS);
  return Math.ceil(bytes / step) * step;
}

const PRECISION_BITS = 5;

/** Bytes that an item needs on the disk of its receiver. Earlier versions only report how much is fetched. */
export function spaceNeeded(need: Need, sizeBytes: number): number {
  return need.disk_bytes ?? sizeBytes;
}

/** Why `needed` bytes do not fit; `undefined` if they do. `free` is the published space, `undefined` if not known. */
export function findSpaceLack(needed: number, free: number | undefined): Reason | undefined {
  if (free === undefined) return undefined;
  if (free <= 0) return explain('disk-full');
  if (needed <= free) return undefined;
  return explain('too-little-disk', formatBytes(needed), formatBytes(free));
}

/** A disk that provided less than it reports, because of a quota or another writer. Believed for a limited time. */
export interface SpaceLack {
  /** Less than this is free, bytes. */
  readonly below: number;
  /** Monotonic ms. */
  readonly until: number;
  readonly forMs: number;
}

const LACK_MS = 30_000;
const LACK_MS_MAX = 120_000;

/** Records that `needed` bytes could not be written. Each failure in a row is believed for longer. */
export function recordSpaceLack(before: SpaceLack | undefined, needed: number, now: number): SpaceLack {
  const forMs = before === undefined ? LACK_MS : Math.min(2 * before.forMs, LACK_MS_MAX);
  return { below: Math.max(1, Math.floor(needed * (1 - 1 / 2 ** PRECISION_BITS))), until: now + forMs, forMs };
}

/** Describes for people that a disk became full, or no longer is. */
export function describeDiskChange({ isFull, freeBytes, reserve }: DiskState): string {
  const amounts = `${formatBytes(freeBytes)} free, ${formatBytes(reserve)} reserved (disk.reserve)`;
  return isFull
    ? `the disk is full: ${amounts}; no new work is accepted`
    : `there is free disk space again: ${amounts}`;
}

/** Formats bytes for people: `1.0 GiB`, `200 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.floor(value) : value.toFixed(1)} ${units[unit] ?? 'B'}`;
}
