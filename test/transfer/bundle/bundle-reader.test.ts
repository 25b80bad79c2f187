import { describe, expect, it } from 'vitest';
import { createPieceMemory, readBundle } from '../../../src/transfer/bundle/bundle-reader.js';
import type { Bundle } from '../../../src/transfer/transfer.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';
import { bundleFiles, makeBytes } from '../../support/transfer-steps.js';

const newDirectory = temporaryDirectories();

async function read(bundle: Bundle, start: number, isReused: boolean): Promise<Buffer> {
  const memory = isReused ? createPieceMemory() : undefined;
  const parts: Buffer[] = [];
  for await (const piece of readBundle(bundle, start, memory)) {
    parts.push(Buffer.from(piece));
    memory?.give(Buffer.from(piece.buffer));
  }
  return Buffer.concat(parts);
}

describe('the byte stream of a bundle', () => {
  // One piece ends one file and begins another; neither fits into it.
  const files = {
    'a.bin': makeBytes(1_700_000),
    'b.bin': makeBytes(2_300_000, 5),
    'c/small': makeBytes(10, 7),
    'd.bin': makeBytes(1_200_000, 9),
  };
  const whole = Buffer.concat(Object.values(files));

  it.each([false, true])(
    'is the files one after the other, from any byte on (memory used again: %s)',
    async (isReused) => {
      const bundle = bundleFiles(newDirectory(), files);
      for (const start of [0, 1, 1_699_999, 1_700_000, 3_000_000, 4_000_003, whole.length - 1, whole.length]) {
        const bytes = await read(bundle, start, isReused);
        expect(bytes.equals(whole.subarray(start)), `from ${start}`).toBe(true);
      }
    },
  );
});
