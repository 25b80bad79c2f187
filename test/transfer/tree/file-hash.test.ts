import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDigest } from '../../../src/transfer/tree/file-hash.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';

const newDirectory = temporaryDirectories();
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('the facts of a file', () => {
  it.each([0, 1, 65_535, 65_536, 65_537, 512 * 1024, 3 * 1024 * 1024 + 1])('of %i bytes are right', async (size) => {
    const path = join(newDirectory(), 'file');
    const bytes = Buffer.alloc(
      size,
      Uint8Array.from({ length: 251 }, (_, index) => index + 1),
    );
    writeFileSync(path, bytes, { mode: 0o640 });
    const room = Math.ceil(size / 4096) * 4096;
    expect(await readDigest(path)).toEqual({ size, mode: 0o640, sha256: sha256(bytes), room });
  });

  // The kernel's own files are as long as they say in one case and longer in the other: what a writer does to a file, held still.
  it.skipIf(process.platform !== 'linux')('leave out what is there beyond its size', async () => {
    const path = '/proc/self/status';
    expect(statSync(path).size).toBe(0);
    expect(readFileSync(path).length).toBeGreaterThan(100);
    expect(await readDigest(path)).toMatchObject({ size: 0, sha256: sha256(Buffer.alloc(0)) });
  });

  it.skipIf(process.platform !== 'linux')('are those of what is there when it is shorter than it says', async () => {
    const path = '/sys/kernel/notes';
    const shorter = '/sys/kernel/uevent_seqnum';
    const bytes = readFileSync(shorter);
    expect(statSync(shorter).size).toBeGreaterThan(bytes.length);
    expect(await readDigest(shorter)).toMatchObject({ size: bytes.length, sha256: sha256(bytes) });
    expect(await readDigest(path)).toMatchObject({ sha256: sha256(readFileSync(path)) });
  });
});
