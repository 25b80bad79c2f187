import { describe, expect, it } from 'vitest';
import { createByteBlocks } from '../../../src/transfer/peer/byte-blocks.js';
import { makeBytes } from '../../support/transfer-steps.js';

const MIB = 1024 * 1024;

describe('incoming bytes, gathered into blocks', () => {
  it('come out in order, whatever they arrived in, and the error after them', async () => {
    const bytes = makeBytes(5 * MIB + 17);
    const blocks = createByteBlocks(() => undefined);
    for (let at = 0; at < bytes.length; at += 16_384) blocks.push(bytes.subarray(at, at + 16_384));
    blocks.end(new Error('cut'));
    const parts: Buffer[] = [];
    for (let count = 0; count < 6; count += 1) parts.push(Buffer.from((await blocks.next()) ?? []));
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    await expect(blocks.next()).rejects.toThrow('cut');
  });

  it('make the source pause when too many wait, and go on when there is room', async () => {
    let rooms = 0;
    const blocks = createByteBlocks(() => (rooms += 1));
    const block = makeBytes(MIB);
    expect([blocks.push(block), blocks.push(block), blocks.push(block)]).toEqual([true, true, false]);
    expect(rooms).toBe(0);
    await blocks.next();
    expect(rooms).toBe(1);
    await blocks.next();
    await blocks.next();
    blocks.end();
    expect(await blocks.next()).toBeUndefined();
    expect(rooms).toBe(1);
  });

  it('wake a reader that waits', async () => {
    const blocks = createByteBlocks(() => undefined);
    const next = blocks.next();
    blocks.push(Buffer.from('abc'));
    expect((await next)?.toString()).toBe('abc');
  });
});
