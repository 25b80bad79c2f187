/**
 * Writes a job's output as it comes: what the log messages bring at once, what they did not bring from the files that
 * come home. The stitching is pure; this holds the positions and writes.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../protocol/work-messages.js';
import { LOG_START, stitchEnd, stitchPiece, type LogPosition, type Stitched } from './log-stitch.js';

/** One of the two streams. */
export type StreamName = Log['stream'];

/** Where output goes. */
export interface JobSink {
  /** Writes bytes of a stream as they are. */
  readonly write: (stream: StreamName, bytes: Uint8Array) => void;
  /** Resolves when the stream takes more. */
  readonly ready?: (stream: StreamName) => Promise<void>;
  /** Says something about the output, on a line of its own. */
  readonly note: (text: string) => void;
}

/** A job's output on its way to a person. */
export interface JobOutput {
  hear(log: Log): void;
  /**
   * The job has ended with `epoch`: writes what is still missing from the files below `directory`. A file that is not
   * there is empty, since empty streams do not come home.
   */
  finish(epoch: number, directory: string): Promise<void>;
}

/** Makes the output of one job. */
export function createJobOutput(sink: JobSink): JobOutput {
  const positions: Record<StreamName, LogPosition> = { stdout: LOG_START, stderr: LOG_START };
  let restartedAt = 0;

  function take(stream: StreamName, stitched: Stitched): void {
    positions[stream] = stitched.position;
    // Both streams begin anew with an epoch; it is said once.
    if (stitched.restarted && restartedAt !== stitched.position.epoch) {
      restartedAt = stitched.position.epoch;
      sink.note(`it was started again (epoch ${restartedAt}); its output begins anew below`);
    }
    if (stitched.bytes.byteLength > 0) sink.write(stream, stitched.bytes);
  }

  return {
    hear: (log) => take(log.stream, stitchPiece(positions[log.stream], log)),
    async finish(epoch, directory) {
      for (const stream of ['stdout', 'stderr'] as const) {
        take(stream, stitchEnd(positions[stream], epoch));
        await copyRest(sink, stream, join(directory, stream), positions[stream].given);
      }
    },
  };
}

/** Copies a file from `from` on, piece by piece: it may be larger than memory, and its reader slower. */
async function copyRest(sink: JobSink, stream: StreamName, path: string, from: number): Promise<void> {
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
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
