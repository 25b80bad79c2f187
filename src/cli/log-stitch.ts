/**
 * Puts a job's output together again from log messages that may be lost, repeated or lossy, and from the file that comes
 * home at the end. Each byte of an epoch is given exactly once and in order; what an earlier epoch gave stays given, and
 * a later one begins anew after a note. Pure: it returns the bytes and writes nothing.
 */

/** A piece of one stream as a log message brought it. */
export interface LogPiece {
  readonly epoch: number;
  /** Where it begins in the stream, in bytes. */
  readonly offset: number;
  readonly text: string;
  /** The text does not stand for the bytes. */
  readonly lossy: boolean;
}

/** How far a stream has been given. */
export interface LogPosition {
  /** The epoch whose bytes are being given; 0 before the first. */
  readonly epoch: number;
  /** Bytes of it that were given. */
  readonly given: number;
}

/** What to write now. */
export interface Stitched {
  readonly position: LogPosition;
  readonly bytes: Uint8Array;
  /** The stream begins anew, after some of an earlier epoch was given. */
  readonly restarted: boolean;
}

/** Nothing given yet. */
export const LOG_START: LogPosition = { epoch: 0, given: 0 };

const NOTHING = new Uint8Array(0);

/**
 * Takes a piece in. Only what continues the given bytes without a gap is given; after a gap the pieces bring nothing until
 * {@link stitchEnd}.
 */
export function stitchPiece(position: LogPosition, piece: LogPiece): Stitched {
  if (piece.epoch < position.epoch) return { position, bytes: NOTHING, restarted: false };
  const begun = beginEpoch(position, piece.epoch);
  const at = begun.position.given;
  if (piece.lossy || piece.offset > at) return begun;
  const bytes = new TextEncoder().encode(piece.text).subarray(at - piece.offset);
  return { ...begun, position: { epoch: piece.epoch, given: at + bytes.byteLength }, bytes };
}

/** The stream has ended with its last epoch: what stands behind the position in its file was not given before. */
export function stitchEnd(position: LogPosition, epoch: number): Stitched {
  return beginEpoch(position, Math.max(epoch, position.epoch));
}

function beginEpoch(position: LogPosition, epoch: number): Stitched {
  if (epoch === position.epoch) return { position, bytes: NOTHING, restarted: false };
  return { position: { epoch, given: 0 }, bytes: NOTHING, restarted: position.given > 0 };
}

/**
 * Takes a piece in for somebody who came late and sees no end: what was missed is counted and passed over, lossy text is
 * shown as it is.
 */
export function joinPiece(position: LogPosition, piece: LogPiece): Stitched & { readonly missed: number } {
  const begun = beginEpoch(position, Math.max(piece.epoch, position.epoch));
  const at = begun.position.given;
  const all = new TextEncoder().encode(piece.text);
  const end = piece.offset + all.byteLength;
  if (piece.epoch < position.epoch || end <= at) return { ...begun, missed: 0 };
  const bytes = all.subarray(Math.max(0, at - piece.offset));
  return { ...begun, position: { epoch: piece.epoch, given: end }, bytes, missed: Math.max(0, piece.offset - at) };
}
