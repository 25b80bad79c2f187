/** The verdict on a job that writes: held for its reader, ended if nobody reads, else left alone. */
import { describe, expect, it } from 'vitest';
import { judgeOutput, LEAST_BYTES, WINDOW_BYTES, type OutputSample } from '../../../src/core/disk/output-limit.js';

const MIB = 1024 ** 2;
const share = { percent: 10, bytes: Number.MAX_SAFE_INTEGER };
const look: OutputSample = { written: 0, grew: true, read: undefined, room: 900 * MIB, isHeld: false };

describe('a job that writes', () => {
  it.each<[string, Partial<OutputSample>, object]>([
    ['little', { written: 50 * MIB }, { go: true }],
    [
      'more than a tenth of the room that there was for it',
      { written: 101 * MIB },
      { end: 'its output exceeded 100 MiB and nobody read it (limits.output)' },
    ],
    ['a lot earlier, and nothing now', { written: 101 * MIB, grew: false }, { go: true }],
    [
      'so much, and is held until somebody reads it',
      { written: 101 * MIB, grew: false, isHeld: true },
      { end: 'its output exceeded 100 MiB and nobody read it (limits.output)' },
    ],
    ['a few lines on a disk that others filled', { written: LEAST_BYTES, room: -5 }, { go: true }],
    [
      'much on a full disk',
      { written: 20 * MIB, room: 0 },
      { end: 'its output of 20.0 MiB filled the disk down to the reserve' },
    ],
    ['without known disk space', { written: 2000 * MIB, room: undefined }, { go: true }],
    ['while somebody reads', { written: 400 * MIB, read: 400 * MIB - WINDOW_BYTES }, { go: true }],
    ['too far ahead of its reader', { written: 400 * MIB + 1, read: 400 * MIB - WINDOW_BYTES }, { hold: true }],
    ['and is held until half of it is read', { written: 90 * MIB, read: 70 * MIB, isHeld: true }, { hold: true }],
    ['and goes on then', { written: 90 * MIB, read: 90 * MIB - WINDOW_BYTES / 2, isHeld: true }, { go: true }],
  ])('%s', (_title, change, verdict) => {
    expect(judgeOutput({ ...look, ...change }, share)).toEqual(verdict);
  });

  it('has a bound in bytes even if the disk space is not known', () => {
    const bytes = { percent: 100, bytes: 5 * MIB };
    expect(judgeOutput({ ...look, room: undefined, written: 5 * MIB + 1 }, bytes)).toHaveProperty('end');
    expect(judgeOutput({ ...look, room: undefined, written: 5 * MIB }, bytes)).toEqual({ go: true });
  });
});
