/** Disk space: the reserve, when a disk counts as full, and what is published. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amountOf,
  describeDiskChange,
  findSpaceLack,
  formatBytes,
  recordSpaceLack,
  spaceNeeded,
  roundNeed,
  roundSpace,
  stepDisk,
  type DiskAmount,
} from '../../../src/core/disk/disk-space.js';
import { need } from '../../support/samples.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
/** Like the default: 5 % of the disk, at most 1 GiB. */
const auto: DiskAmount = { percent: 5, bytes: GIB };

describe('a reserve', () => {
  it.each<[string, DiskAmount, number, number]>([
    ['is a share of a small disk', auto, 8 * MIB, Math.floor(0.4 * MIB)],
    ['is at most its bytes on a large disk', auto, 4000 * GIB, GIB],
    ['in bytes never exceeds the disk', { bytes: 2 * GIB, percent: 100 }, GIB, GIB],
  ])('%s', (_title, amount, whole, bytes) => {
    expect(amountOf(amount, whole)).toBe(bytes);
  });

  it('is not available to guests', () => {
    expect(stepDisk(undefined, { freeBytes: 300 * MIB, totalBytes: 2000 * MIB }, auto)).toEqual({
      room: 200 * MIB,
      isFull: false,
      reserve: 100 * MIB,
      freeBytes: 300 * MIB,
    });
  });

  it('makes a disk full when it is reached, and for a while after that, so it does not flap', () => {
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
      'the disk is full: 100 MiB free, 100 MiB reserved (disk.reserve); no new work is accepted',
    );
  });
});

describe('a published amount', () => {
  it('rounds free space down and needs up, by little', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (bytes) => {
        expect(roundSpace(bytes, false)).toBeLessThanOrEqual(bytes);
        expect(roundSpace(bytes, false)).toBeGreaterThan(bytes * 0.96);
        expect(roundNeed(bytes)).toBeGreaterThanOrEqual(bytes);
        expect(roundNeed(bytes)).toBeLessThan(bytes * 1.04);
      }),
    );
  });

  it('is 0 only if the node takes no work: even a fully promised disk has space for items that need none', () => {
    expect([roundSpace(500, true), roundSpace(-3, false), roundSpace(0.5, false)]).toEqual([0, 1, 1]);
    expect(roundNeed(0)).toBe(0);
  });

  it.each<[number, number | undefined, string | undefined]>([
    [GIB, undefined, undefined],
    [GIB, GIB, undefined],
    [GIB, 200 * MIB, 'needs 1.0 GiB of disk space, 200 MiB is free for guests'],
    [0, 1, undefined],
    [0, 0, 'its disk is full: it takes no work'],
  ])('answers a need of %i with %s free', (needed, free, lack) => {
    expect(findSpaceLack(needed, free)?.text).toBe(lack);
  });

  it('is the fetched size for an owner that names no need', () => {
    expect(spaceNeeded(need, 7)).toBe(7);
    expect(spaceNeeded({ ...need, disk_bytes: 3 }, 7)).toBe(3);
  });

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [200 * MIB + 5, '200 MiB'],
    [2 ** 60, '1024 PiB'],
  ])('of %i bytes is shown as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('a disk that provided less than it reports', () => {
  it('counts as smaller for a while, longer with each failure, never forever', () => {
    const first = recordSpaceLack(undefined, 3200, 1000);
    expect(first).toEqual({ below: 3100, until: 31_000, forMs: 30_000 });
    const waits = [first];
    for (let round = 0; round < 4; round += 1) waits.push(recordSpaceLack(waits.at(-1), 3200, 0));
    expect(waits.map(({ forMs }) => forMs)).toEqual([30_000, 60_000, 120_000, 120_000, 120_000]);
    expect(roundNeed(3200)).toBeGreaterThan(first.below);
  });
});
