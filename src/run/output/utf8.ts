/**
 * Splits bytes into texts without ever splitting a character. Bytes that are not UTF-8 become U+FFFD, and the piece
 * is marked as lossy.
 */
import { isUtf8 } from 'node:buffer';

/** A piece of a stream as text. */
export interface Piece {
  /** Bytes of the stream that the text covers. */
  readonly bytes: number;
  /** In UTF-8 at most as long as the bytes asked for, and so is its JavaScript length. */
  readonly text: string;
  /** Some bytes were not UTF-8. */
  readonly lossy: boolean;
}

/**
 * Takes the first piece of at most `bytesMax` bytes (at least 4). A character that is incomplete at the end of
 * `bytes` is left for later, or included when `isLast`; `undefined` when nothing can be taken yet.
 */
export function takePiece(bytes: Uint8Array, bytesMax: number, isLast: boolean): Piece | undefined {
  const size = Math.min(bytes.length, bytesMax);
  const whole = size - measureTornTail(bytes.subarray(0, size));
  const head = bytes.subarray(0, isLast && size === bytes.length ? size : whole);
  if (head.length === 0) return undefined;
  if (isUtf8(head)) return decode(head, false);
  const piece = decode(head, true);
  // Replacing a byte by U+FFFD makes it three bytes.
  return Buffer.byteLength(piece.text) <= bytesMax ? piece : takeShorter(bytes, bytesMax);
}

/** Number of bytes (0 to 3) at the start that continue a character begun earlier. */
export function measureTornHead(bytes: Uint8Array): number {
  let count = 0;
  while (count < 3 && isContinuation(bytes[count])) count += 1;
  return count;
}

function takeShorter(bytes: Uint8Array, bytesMax: number): Piece {
  const third = bytes.subarray(0, Math.floor(bytesMax / 3));
  const whole = third.length - measureTornTail(third);
  return decode(whole === 0 ? third : third.subarray(0, whole), true);
}

function decode(bytes: Uint8Array, lossy: boolean): Piece {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  return { bytes: bytes.length, text, lossy };
}

/** Number of bytes (0 to 3) at the end that begin an incomplete character. */
function measureTornTail(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back];
    if (byte === undefined || !isContinuation(byte)) return measureCharacter(byte) > back ? back : 0;
  }
  return 0;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** Length in bytes of a character with this first byte; 1 for an invalid one. */
function measureCharacter(byte: number | undefined): number {
  if (byte === undefined || byte < 0xc2 || byte > 0xf4) return 1;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : 4;
}
