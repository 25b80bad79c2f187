/**
 * Reassembles a job's output from log messages that may be lost, repeated or lossy, and from the file that comes home
 * at the end. Each byte of an epoch is returned exactly once and in order; the output of an earlier epoch is not taken
 * back, and a later epoch starts over after a note. Pure: it returns bytes and writes nothing.
 */
import type { LogPiece } from '../../protocol/work-messages.js';

/** A piece of one stream from a log message. */
export type StreamPiece = Omit<LogPiece, 'stream'>;

/** How far a stream has been written. */
export interface LogPosition {
  /** The epoch whose bytes are being written; 0 before the first. */
  readonly epoch: number;
  /** Bytes of that epoch written so far. */
  readonly written: number;
}

/** The positions of both streams. */
export type LogPositions = Readonly<Record<LogPiece['stream'], LogPosition>>;

/** What to write now. */
export interface Stitched {
  readonly position: LogPosition;
  readonly bytes: Uint8Array;
  /** The stream starts over, after some output of an earlier epoch was written. */
  readonly restarted: boolean;
}

/** Nothing written yet. */
export const LOG_START: LogPosition = { epoch: 0, written: 0 };

const NOTHING = new Uint8Array(0);

/**
 * Adds a piece. Only bytes that continue the written ones without a gap are returned; after a gap nothing is, until
 * {@link stitchEnd}.
 */
export function stitchPiece(position: LogPosition, piece: StreamPiece): Stitched {
  if (piece.epoch < position.epoch) return { position, bytes: NOTHING, restarted: false };
  const started = startEpoch(position, piece.epoch);
  const at = started.position.written;
  if (piece.lossy || piece.offset > at) return started;
  const bytes = new TextEncoder().encode(piece.text).subarray(at - piece.offset);
  return { ...started, position: { epoch: piece.epoch, written: at + bytes.byteLength }, bytes };
}

/** The stream ended with its last epoch: the bytes of its file after the returned position are still to be written. */
export function stitchEnd(position: LogPosition, epoch: number): Stitched {
  return startEpoch(position, Math.max(epoch, position.epoch));
}

function startEpoch(position: LogPosition, epoch: number): Stitched {
  if (epoch === position.epoch) return { position, bytes: NOTHING, restarted: false };
  return { position: { epoch, written: 0 }, bytes: NOTHING, restarted: position.written > 0 };
}

/**
 * Adds a piece for a reader that joined late and gets no file at the end: missed bytes are counted and skipped, lossy
 * text is shown as it is.
 */
export function joinPiece(position: LogPosition, piece: StreamPiece): Stitched & { readonly missed: number } {
  const started = startEpoch(position, Math.max(piece.epoch, position.epoch));
  const at = started.position.written;
  const all = new TextEncoder().encode(piece.text);
  const end = piece.offset + all.byteLength;
  if (piece.epoch < position.epoch || end <= at) return { ...started, missed: 0 };
  const bytes = all.subarray(Math.max(0, at - piece.offset));
  return { ...started, position: { epoch: piece.epoch, written: end }, bytes, missed: Math.max(0, piece.offset - at) };
}
