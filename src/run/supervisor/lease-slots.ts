/**
 * The file `leases` of a supervisor: how a node that has no pipe to it extends the deadlines of its runs. It is filled
 * ahead of use and written in place, which works on a full disk.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { LeaseFrame } from './frames.js';

/** Bytes of one record, with its line end. */
export const SLOT_BYTES = 64;

/** A lease as it stands in a slot; `number` differs from that of the lease before. */
export interface SlotLease extends LeaseFrame {
  readonly number: number;
}

/** Formats a record; blank without a lease. */
export function formatSlot(lease?: SlotLease): string {
  if (lease === undefined) return `${' '.repeat(SLOT_BYTES - 1)}\n`;
  const { number, leftMs, doubt, id } = lease;
  const left = Math.min(LEFT_MAX, Math.max(0, Math.floor(leftMs / 10)));
  return `${`${number} ${left} ${doubt} ${id} ${number}`.padEnd(SLOT_BYTES - 1)}\n`;
}

/** More than any lease, in hundredths of a second; the record has room for it. */
const LEFT_MAX = 999_999_999_999_999;

/** Parses a record; `undefined` when it is blank or half written. */
export function parseSlot(text: string): SlotLease | undefined {
  const [, number, left, doubt, id, again] = /^(\d+) (\d+) (\d+) (\d+) (\d+) *\n$/.exec(text) ?? [];
  if (number === undefined || number !== again) return undefined;
  return { number: Number(number), leftMs: Number(left) * 10, doubt: Number(doubt), id: Number(id) };
}

/** Writes the lease of a slot into the file at `path`. Throws the file system's errors. */
export function writeSlot(path: string, slot: number, lease: Omit<SlotLease, 'number'>): void {
  const fd = openSync(path, 'r+');
  try {
    const number = ((parseSlot(readSlot(fd, slot))?.number ?? 0) + 1) % NUMBERS;
    writeSync(fd, formatSlot({ ...lease, number }), slot * SLOT_BYTES);
  } finally {
    closeSync(fd);
  }
}

const NUMBERS = 1_000_000;

/** Reads the record of a slot; empty beyond the end of the file. Throws the file system's errors. */
export function readSlot(fd: number, slot: number): string {
  const record = Buffer.alloc(SLOT_BYTES);
  const bytes = readSync(fd, record, 0, SLOT_BYTES, slot * SLOT_BYTES);
  return record.toString('latin1', 0, bytes);
}

/** Makes room for a slot and blanks it. Throws the file system's errors, such as ENOSPC. */
export function blankSlot(fd: number, slot: number): void {
  const from = Math.min(slot, Math.floor(fstatSync(fd).size / SLOT_BYTES));
  writeSync(fd, formatSlot().repeat(slot + 1 - from), from * SLOT_BYTES);
}

/** Opens the file for its supervisor, and creates it. Throws the file system's errors. */
export function openSlots(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
}
