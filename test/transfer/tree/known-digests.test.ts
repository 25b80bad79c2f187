import { createHash } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDigest } from '../../../src/transfer/tree/file-hash.js';
import { followImage } from '../../../src/transfer/tree/follow-image.js';
import { createKnownDigests, type KnownDigests } from '../../../src/transfer/tree/known-digests.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';
import { makeBytes } from '../../support/transfer-steps.js';

const MIB = 1024 * 1024;
const PATH = 'image/pages-1.img';
const newDirectory = temporaryDirectories();
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const WRONG = { sha256: 'f'.repeat(64), room: 4096 };

function makePages(bytes: Uint8Array): string {
  const directory = newDirectory();
  mkdirSync(join(directory, 'image'));
  const file = join(directory, PATH);
  writeFileSync(file, bytes);
  return file;
}

/** Remembers a hash that is not that of the bytes: whether it is believed shows in the digest. */
function rememberWrong(known: KnownDigests, file: string, path: string = PATH): void {
  known.remember(path, statSync(file, { bigint: true }), WRONG);
}

describe('what is known of the files of an image', () => {
  it('is believed of the same file, also under another name', async () => {
    const known = createKnownDigests();
    const file = makePages(makeBytes(2 * MIB));
    rememberWrong(known, file);
    const other = `${file}-2`;
    linkSync(file, other);
    for (const one of [file, other])
      expect(await readDigest(one, { path: PATH, known })).toMatchObject({ size: 2 * MIB, ...WRONG });
  });

  it('is not believed of a file that was written to, replaced, or is no part of an image', async () => {
    const bytes = makeBytes(2 * MIB);
    const read = async (file: string, known: KnownDigests, path = PATH): Promise<string | undefined> =>
      (await readDigest(file, { path, known }))?.sha256;
    const known = createKnownDigests();
    const longer = makePages(bytes);
    rememberWrong(known, longer);
    appendFileSync(longer, 'x');
    expect(await read(longer, known)).toBe(sha256(Buffer.concat([bytes, Buffer.from('x')])));
    const later = makePages(bytes);
    rememberWrong(known, later);
    utimesSync(later, 1, 1);
    expect(await read(later, known)).toBe(sha256(bytes));
    const copied = makePages(bytes);
    rememberWrong(known, copied);
    copyFileSync(copied, `${copied}-2`);
    expect(await read(`${copied}-2`, known)).toBe(sha256(bytes));
    const plain = makePages(bytes);
    rememberWrong(known, plain, 'work/pages-1.img');
    expect(await read(plain, known, 'work/pages-1.img')).toBe(sha256(bytes));
  });
});

describe('an image that is followed while it is written', () => {
  it('is hashed as far as it was there, and the rest later', async () => {
    const [first, rest] = [makeBytes(3 * MIB), makeBytes(MIB, 5)];
    const known = createKnownDigests();
    const file = makePages(first);
    const stats = statSync(file, { bigint: true });
    const followed = followImage(join(file, '../..'), known);
    await expect.poll(() => known.findHead(PATH, stats)?.bytes).toBe(3 * MIB);
    await followed.stop();
    appendFileSync(file, rest);
    const whole = Buffer.concat([first, rest]);
    expect(await readDigest(file, { path: PATH, known })).toMatchObject({ size: 4 * MIB, sha256: sha256(whole) });
    // The head was used: a file that changed there is not read again, and the receiver of the image refuses it.
    expect(known.findHead(PATH, stats)?.hash.copy().digest('hex')).toBe(sha256(first));
  });

  it('is followed from its beginning when the image of an earlier dump was still there', async () => {
    const known = createKnownDigests();
    const file = makePages(makeBytes(2 * MIB));
    const followed = followImage(join(file, '../..'), known);
    await expect.poll(() => known.findHead(PATH, statSync(file, { bigint: true }))?.bytes).toBe(2 * MIB);
    const bytes = makeBytes(3 * MIB, 7);
    linkSync(file, `${file}-old`);
    unlinkSync(file);
    writeFileSync(file, bytes);
    await expect.poll(() => known.findHead(PATH, statSync(file, { bigint: true }))?.bytes).toBe(3 * MIB);
    await followed.stop();
    expect(await readDigest(file, { path: PATH, known })).toMatchObject({ sha256: sha256(bytes) });
  });
});
