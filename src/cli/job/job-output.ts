/**
 * Writes a job's output: from log messages as they arrive, and at the end the rest from the files that came home. The
 * stitching is pure (`log-stitch.ts`); this module holds the positions and writes.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../os/errors.js';
import type { LogPiece } from '../../protocol/work-messages.js';
import { LOG_START, stitchEnd, stitchPiece, type LogPositions, type Stitched } from './log-stitch.js';

/** `stdout` or `stderr`. */
export type LogStream = LogPiece['stream'];

/** Where output goes. */
export interface JobSink {
  /** Writes bytes of a stream as they are. */
  readonly write: (stream: LogStream, bytes: Uint8Array) => void;
  /** Resolves when the stream accepts more. */
  readonly ready?: (stream: LogStream) => Promise<void>;
  /** Reports something about the output, on a separate line. */
  readonly note: (text: string) => void;
}

/** The output of one job. */
export interface JobOutput {
  write(log: LogPiece): void;
  /**
   * The job ended with `epoch`: writes what is still missing from the files in `directory`. A missing file counts as
   * empty, since empty streams are not transferred.
   */
  finish(epoch: number, directory: string): Promise<void>;
}

/** Creates the output of one job, which may have been written in part. */
export function createJobOutput(sink: JobSink, written?: LogPositions): JobOutput {
  const positions = { stdout: LOG_START, stderr: LOG_START, ...written };
  let restartedAt = 0;

  function writePiece(stream: LogStream, stitched: Stitched): void {
    positions[stream] = stitched.position;
    // Both streams start over with an epoch; this is reported once.
    if (stitched.restarted && restartedAt !== stitched.position.epoch) {
      restartedAt = stitched.position.epoch;
      sink.note(`it was restarted (epoch ${restartedAt}); its output starts over below`);
    }
    if (stitched.bytes.byteLength > 0) sink.write(stream, stitched.bytes);
  }

  return {
    write: (log) => writePiece(log.stream, stitchPiece(positions[log.stream], log)),
    async finish(epoch, directory) {
      for (const stream of ['stdout', 'stderr'] as const) {
        writePiece(stream, stitchEnd(positions[stream], epoch));
        await copyRest(sink, stream, join(directory, stream), positions[stream].written);
      }
    },
  };
}

/** Copies a file from offset `from`, in pieces: it may be larger than memory, and its reader slow. */
async function copyRest(sink: JobSink, stream: LogStream, path: string, from: number): Promise<void> {
  const file = await openIfThere(path);
  if (file === undefined) return;
  try {
    for (let position = from; ;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES, position);
      if (bytesRead === 0) return;
      sink.write(stream, buffer.subarray(0, bytesRead));
      position += bytesRead;
      await sink.ready?.(stream);
    }
  } finally {
    await file.close();
  }
}

const PIECE_BYTES: number = 1024 * 1024;

async function openIfThere(path: string): Promise<Awaited<ReturnType<typeof open>> | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
