/**
 * Room on the disk of a node: what is left for guests beyond its reserve, when it takes nothing more, and what items need.
 * What nobody can tell is not known, and what is not known keeps no item away.
 */
import type { Need } from '../protocol/item.js';

/** Room of the file system of the state directory, bytes. */
export interface DiskSample {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** An amount of disk: so many bytes, but no more than this share of the whole. */
export interface DiskAmount {
  readonly bytes: number;
  readonly percent: number;
}

/** What a node knows of its disk. */
export interface DiskState {
  /** Bytes beyond the reserve; 0 when there are none. */
  readonly room: number;
  /** It is below its reserve, or was just now: nothing new is taken on. */
  readonly isFull: boolean;
  /** The reserve, bytes. */
  readonly reserve: number;
  readonly freeBytes: number;
}

/** A disk that was full counts as full until this part of the reserve is free beyond it: else it would flap with each log line. */
const LEAVE_SHARE = 0.1;

/** How many bytes an amount is of a whole. */
export function amountOf(amount: DiskAmount, whole: number): number {
  return Math.floor(Math.min(amount.bytes, (whole * amount.percent) / 100));
}

/** Takes a sample in. */
export function stepDisk(before: DiskState | undefined, sample: DiskSample, reserve: DiskAmount): DiskState {
  const kept = amountOf(reserve, sample.totalBytes);
  const beyond = sample.freeBytes - kept;
  const isFull = beyond <= (before?.isFull === true ? kept * LEAVE_SHARE : 0);
  return { room: isFull ? 0 : beyond, isFull, reserve: kept, freeBytes: sample.freeBytes };
}

/** Room that a state tells of: 0 when nothing is taken; else at least 1, in steps of a thirty-second, so that it does not wander. */
export function roundRoom(room: number, isFull: boolean): number {
  if (isFull) return 0;
  if (room < 1) return 1;
  const step = 2 ** Math.max(0, Math.floor(Math.log2(room)) - ROOM_BITS);
  return Math.floor(room / step) * step;
}

/** The same the other way, for what is needed: a queue of many sizes asks for few different amounts. */
export function roundNeed(bytes: number): number {
  if (bytes < 1) return 0;
  const step = 2 ** Math.max(0, Math.floor(Math.log2(bytes)) - ROOM_BITS);
  return Math.ceil(bytes / step) * step;
}

const ROOM_BITS = 5;

/** Bytes that an item needs on the disk of its receiver. Owners of earlier versions tell only how much is fetched. */
export function roomNeeded(need: Need, sizeBytes: number): number {
  return need.disk_bytes ?? sizeBytes;
}

/** Why there is no room for what needs `needed` bytes, or `undefined`; `free` is what a state tells, `undefined` if not known. */
export function findRoomLack(needed: number, free: number | undefined): string | undefined {
  if (free === undefined) return undefined;
  if (free <= 0) return 'its disk is full: it takes nothing';
  if (needed <= free) return undefined;
  return `needs ${formatBytes(needed)} of disk, free for guests there: ${formatBytes(free)}`;
}

/** A disk gave less than it tells of: a quota, or somebody who was quicker. Believed for a while. */
export interface RoomLack {
  /** There is less than this, bytes. */
  readonly below: number;
  /** Monotonic ms. */
  readonly until: number;
  readonly forMs: number;
}

const LACK_MS = 30_000;
const LACK_MS_MAX = 120_000;

/** Notes that `needed` bytes could not be written; each time in a row is believed longer. */
export function noteRoomLack(before: RoomLack | undefined, needed: number, now: number): RoomLack {
  const forMs = before === undefined ? LACK_MS : Math.min(2 * before.forMs, LACK_MS_MAX);
  return { below: Math.max(1, Math.floor(needed * (1 - 1 / 2 ** ROOM_BITS))), until: now + forMs, forMs };
}

/** That a disk is full, or is not any more, for people. */
export function describeDiskChange({ isFull, freeBytes, reserve }: DiskState): string {
  const amounts = `${formatBytes(freeBytes)} are free, ${formatBytes(reserve)} are kept (disk.reserve)`;
  return isFull
    ? `the disk is full: ${amounts}; nothing new is taken on`
    : `there is room on the disk again: ${amounts}`;
}

/** Bytes for people: `1.0 GiB`, `200 MiB`. */
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
