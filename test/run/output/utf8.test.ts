import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureTornHead, takePiece, type Piece } from '../../../src/run/output/utf8.js';

/** Takes all pieces, as at the end of a stream. */
function takeAll(bytes: Uint8Array, bytesMax: number): readonly Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < bytes.length;) {
    const piece = takePiece(bytes.subarray(at), bytesMax, true);
    if (piece === undefined || piece.bytes === 0) throw new Error('no progress');
    pieces.push(piece);
    at += piece.bytes;
  }
  return pieces;
}

describe('takePiece', () => {
  it('gives text back whole, in pieces within the bound', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        fc.integer({ min: 4, max: 40 }),
        (text, bytesMax) => {
          const pieces = takeAll(Buffer.from(text), bytesMax);
          expect(pieces.map((piece) => piece.text).join('')).toBe(text);
          expect(pieces.every((piece) => !piece.lossy && Buffer.byteLength(piece.text) <= bytesMax)).toBe(true);
        },
      ),
    );
  });

  it('takes every byte of anything and stays within the bound', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 4, max: 40 }), (bytes, bytesMax) => {
        const pieces = takeAll(bytes, bytesMax);
        expect(pieces.reduce((sum, piece) => sum + piece.bytes, 0)).toBe(bytes.length);
        expect(pieces.every((piece) => Buffer.byteLength(piece.text) <= bytesMax)).toBe(true);
      }),
    );
  });

  it('leaves an unfinished character for later, and takes it at the end', () => {
    const torn = Buffer.from('a😀').subarray(0, 4);
    expect(takePiece(torn, 100, false)).toEqual({ bytes: 1, text: 'a', lossy: false });
    expect(takePiece(torn.subarray(1), 100, false)).toBeUndefined();
    expect(takePiece(torn, 100, true)).toMatchObject({ bytes: 4, lossy: true });
  });

  it('says that bytes are not UTF-8, and keeps a byte order mark', () => {
    expect(takePiece(Uint8Array.of(97, 255, 98), 100, false)).toEqual({ bytes: 3, text: 'a\ufffdb', lossy: true });
    expect(takePiece(Buffer.from('\ufeffx'), 100, false)).toEqual({ bytes: 4, text: '\ufeffx', lossy: false });
  });
});

describe('measureTornHead', () => {
  it.each([
    ['😀x', 1, 3],
    ['éx', 1, 1],
    ['x', 0, 0],
  ])('of %s from byte %i is %i', (text, from, count) => {
    expect(measureTornHead(Buffer.from(text).subarray(from))).toBe(count);
  });
});
