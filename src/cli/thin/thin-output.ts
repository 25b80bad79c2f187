/**
 * The output of a short job, written as the whole program would. What takes long (much output, output that starts over)
 * is left to it.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../os/errors.js';
import type { LogPiece } from '../../protocol/work-messages.js';
import { LOG_START, stitchEnd, stitchPiece, type LogPosition, type LogPositions } from '../job/log-stitch.js';

/** The output of one job. */
export interface ThinOutput {
  /** Writes a piece; returns false, and writes nothing, if it has to be left. */
  write(piece: LogPiece): boolean;
  /** Writes the rest from the files in `directory`; returns false, and writes nothing, if it has to be left. */
  finish(epoch: number, directory: string): boolean;
  positions(): LogPositions;
}

type Stream = LogPiece['stream'];

const STREAMS = ['stdout', 'stderr'] as const;
/** More than this at the end is written piece by piece, as fast as its reader reads. */
const REST_BYTES_MAX: number = 1024 * 1024;

/** Creates it; `write` takes the bytes. */
export function createThinOutput(write: (stream: Stream, bytes: Uint8Array) => void): ThinOutput {
  const positions: Record<Stream, LogPosition> = { stdout: LOG_START, stderr: LOG_START };
  return {
    positions: () => ({ ...positions }),
    write(piece) {
      const { position, bytes, restarted } = stitchPiece(positions[piece.stream], piece);
      if (restarted) return false;
      positions[piece.stream] = position;
      if (bytes.byteLength > 0) write(piece.stream, bytes);
      return true;
    },
    finish(epoch, directory) {
      const rests = STREAMS.map((stream) => {
        const { position, restarted } = stitchEnd(positions[stream], epoch);
        return restarted ? undefined : readRest(join(directory, stream), position.written);
      });
      if (rests.includes(undefined)) return false;
      for (const [at, stream] of STREAMS.entries()) {
        const rest = rests[at];
        if (rest !== undefined && rest.byteLength > 0) write(stream, rest);
      }
      return true;
    },
  };
}

/** The bytes of a file from an offset on, none if there is no file; `undefined` if they are too many or unreadable. */
function readRest(path: string, from: number): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    return hasCode(error, 'ENOENT') ? new Uint8Array(0) : undefined;
  }
  try {
    const size = Math.max(0, fstatSync(file).size - from);
    if (size > REST_BYTES_MAX) return undefined;
    const rest = Buffer.alloc(size);
    let length = 0;
    for (let read = -1; read !== 0 && length < size; length += read) {
      read = readSync(file, rest, length, size - length, from + length);
    }
    return rest.subarray(0, length);
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}
