/** Room of a file system: told where it can be, not known elsewhere, and never waited for. */
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDiskReader, findRoomObstacle, measureDiskSpace, type StatFs } from '../../src/os/disk-space.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();
const answer: StatFs = { bavail: 3, blocks: 10, bsize: 1024 };

describe('room', () => {
  it('is that of the nearest directory that is there', () => {
    const directory = makeDirectory();
    const { blocks, bsize } = statfsSync(directory);
    expect(measureDiskSpace(join(directory, 'a', 'b'))?.totalBytes).toBe(blocks * bsize);
  });

  it('is not known where nobody can tell, and keeps nobody from trying', () => {
    expect(measureDiskSpace('/proc/self/fd/nothing')).toBeUndefined();
    expect(findRoomObstacle('/proc', Number.MAX_SAFE_INTEGER)).toEqual([]);
    expect(findRoomObstacle('\0', 1)).toEqual([]);
  });

  it('is an obstacle where there surely is too little', () => {
    expect(findRoomObstacle(makeDirectory(), 2 ** 70)).toEqual([
      expect.stringMatching(/^no room for its image: \d+ MiB needed, \d+ MiB free$/),
    ]);
    expect(findRoomObstacle(makeDirectory(), 1)).toEqual([]);
  });
});

describe('a reader of it', () => {
  it('tells what ordinary users may still write', async () => {
    const read = createDiskReader('/x', () => Promise.resolve(answer));
    expect(await read()).toEqual({ freeBytes: 3072, totalBytes: 10_240 });
  });

  it('does not wait for a file system that hangs, and asks no second time meanwhile', async () => {
    let asked = 0;
    let answerNow: (value: StatFs) => void = () => undefined;
    const hangs = new Promise<StatFs>((resolve) => (answerNow = resolve));
    const read = createDiskReader(
      '/nfs',
      () => {
        asked += 1;
        return asked === 1 ? hangs : Promise.resolve(answer);
      },
      10,
    );
    await expect(read()).rejects.toThrow('the file system of /nfs does not answer');
    await expect(read()).rejects.toThrow('the file system of /nfs does not answer');
    expect(asked).toBe(1);
    answerNow({ ...answer, bavail: 1 });
    await hangs;
    await new Promise((resolve) => setImmediate(resolve));
    expect(await read()).toEqual({ freeBytes: 3072, totalBytes: 10_240 });
    expect(asked).toBe(2);
  });

  it('says so where the size is not told, and when it fails', async () => {
    const read = createDiskReader('/x', () => Promise.resolve({ bavail: 0, blocks: 0, bsize: 4096 }));
    await expect(read()).rejects.toThrow('the file system does not say how large it is');
    await expect(createDiskReader('/x', () => Promise.reject(new Error('EIO')))()).rejects.toThrow('EIO');
  });
});
