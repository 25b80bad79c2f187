/** Room on a disk: the reserve, when a disk counts as full, and what is told of it. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  amountOf,
  describeDiskChange,
  findRoomLack,
  formatBytes,
  noteRoomLack,
  roomNeeded,
  roundNeed,
  roundRoom,
  stepDisk,
  type DiskAmount,
} from '../../src/core/disk-room.js';
import { need } from './samples.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
/** As the default is: one byte in twenty, a GiB at most. */
const auto: DiskAmount = { percent: 5, bytes: GIB };

describe('a reserve', () => {
  test.each<[string, DiskAmount, number, number]>([
    ['is a share of a small disk', auto, 8 * MIB, Math.floor(0.4 * MIB)],
    ['and no more than its bytes of a large one', auto, 4000 * GIB, GIB],
    ['given in bytes is never more than the disk', { bytes: 2 * GIB, percent: 100 }, GIB, GIB],
  ])('%s', (_title, amount, whole, bytes) => {
    expect(amountOf(amount, whole)).toBe(bytes);
  });

  test('is what guests cannot have', () => {
    expect(stepDisk(undefined, { freeBytes: 300 * MIB, totalBytes: 2000 * MIB }, auto)).toEqual({
      room: 200 * MIB,
      isFull: false,
      reserve: 100 * MIB,
      freeBytes: 300 * MIB,
    });
  });

  test('makes a disk full when it is reached, and for a while after, so that it does not flap', () => {
    const sample = (free: number): { freeBytes: number; totalBytes: number } => ({
      freeBytes: free * MIB,
      totalBytes: 2000 * MIB,
    });
    const full = stepDisk(undefined, sample(100), auto);
    expect(full).toMatchObject({ room: 0, isFull: true });
    expect(stepDisk(full, sample(110), auto)).toMatchObject({ room: 0, isFull: true });
    expect(stepDisk(full, sample(111), auto)).toMatchObject({ room: 11 * MIB, isFull: false });
    expect(stepDisk(stepDisk(full, sample(111), auto), sample(101), auto).isFull).toBe(false);
    expect(describeDiskChange(full)).toBe(
      'the disk is full: 100 MiB are free, 100 MiB are kept (disk.reserve); nothing new is taken on',
    );
  });
});

describe('what is told', () => {
  test('of room is never more than there is, of need never less, and neither is far off', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (bytes) => {
        expect(roundRoom(bytes, false)).toBeLessThanOrEqual(bytes);
        expect(roundRoom(bytes, false)).toBeGreaterThan(bytes * 0.96);
        expect(roundNeed(bytes)).toBeGreaterThanOrEqual(bytes);
        expect(roundNeed(bytes)).toBeLessThan(bytes * 1.04);
      }),
    );
  });

  test('is 0 only where nothing is taken: what was promised away leaves room for what needs none', () => {
    expect([roundRoom(500, true), roundRoom(-3, false), roundRoom(0.5, false)]).toEqual([0, 1, 1]);
    expect(roundNeed(0)).toBe(0);
  });

  test.each<[number, number | undefined, string | undefined]>([
    [GIB, undefined, undefined],
    [GIB, GIB, undefined],
    [GIB, 200 * MIB, 'needs 1.0 GiB of disk, free for guests there: 200 MiB'],
    [0, 1, undefined],
    [0, 0, 'its disk is full: it takes nothing'],
  ])('what needs %i where %s is free', (needed, free, lack) => {
    expect(findRoomLack(needed, free)).toBe(lack);
  });

  test('of an owner that names no need is what is fetched from it', () => {
    expect(roomNeeded(need, 7)).toBe(7);
    expect(roomNeeded({ ...need, disk_bytes: 3 }, 7)).toBe(3);
  });

  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [200 * MIB + 5, '200 MiB'],
    [2 ** 60, '1024 PiB'],
  ])('of %i bytes is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('a disk that gave less than it tells of', () => {
  test('is believed to have less for a while, longer each time in a row, and never for good', () => {
    const first = noteRoomLack(undefined, 3200, 1000);
    expect(first).toEqual({ below: 3100, until: 31_000, forMs: 30_000 });
    const waits = [first];
    for (let round = 0; round < 4; round += 1) waits.push(noteRoomLack(waits.at(-1), 3200, 0));
    expect(waits.map(({ forMs }) => forMs)).toEqual([30_000, 60_000, 120_000, 120_000, 120_000]);
    expect(roundNeed(3200)).toBeGreaterThan(first.below);
  });
});
