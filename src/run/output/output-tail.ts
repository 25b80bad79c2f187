/**
 * Follows the files `stdout` and `stderr` of one run and gives what is new as pieces of text, at a bounded rate. What
 * is over the rate stays in the file and is skipped, oldest first. It holds no file open between two looks.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { LOG_BYTES_PER_S_MAX, LOG_TEXT_BYTES_MAX } from '../../protocol/limits.js';
import { measureTornHead, takePiece } from './utf8.js';

/** A stream of a run. */
export type OutputStream = 'stdout' | 'stderr';

/** New output. */
export interface Output {
  readonly stream: OutputStream;
  /** Where the text begins in the stream, in bytes. */
  readonly offset: number;
  readonly text: string;
  readonly lossy: boolean;
}

/** Follows the output of one run. */
export interface OutputTail {
  /**
   * Reads what is new. `now`: milliseconds on any clock that goes forward. `isLast`: the run has ended; an unfinished
   * character at the end is then given as it is, and a part of the second's bytes that was kept back is used.
   */
  read(now: number, isLast: boolean): readonly Output[];
}

const STREAMS: readonly OutputStream[] = ['stdout', 'stderr'];
/** Kept back in each second for the last look, so that the last lines are always seen. */
const RESERVE_BYTES = LOG_TEXT_BYTES_MAX;

/**
 * The beginning of a stream is given whole while the run goes on, however far ahead it is: a reader that goes away
 * early (`| head`) is noticed only by bytes that continue what it has.
 */
const BEGINNING_BYTES: number = 256 * 1024;

/** Creates the tail of a run, beginning at the start of its output. */
export function createOutputTail(directory: string): OutputTail {
  const offsets = { stdout: 0, stderr: 0 };
  let secondFrom = -Infinity;
  let used = 0;

  const readStream = (stream: OutputStream, isLast: boolean): readonly Output[] => {
    const allowance = LOG_BYTES_PER_S_MAX - used - (isLast ? 0 : RESERVE_BYTES);
    const isBeginning = !isLast && offsets[stream] < BEGINNING_BYTES;
    const news = readNews(join(directory, stream), offsets[stream], Math.max(0, allowance), isBeginning);
    const { outputs, bytes } = cutNews(stream, news, isLast);
    offsets[stream] = news.offset + bytes;
    used += bytes;
    return outputs;
  };

  return {
    read: (now, isLast) => {
      if (now - secondFrom >= 1000) {
        secondFrom = now;
        used = 0;
      }
      return STREAMS.flatMap((stream) => readStream(stream, isLast));
    },
  };
}

interface News {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Reads a file from `offset` on, at most `bytesMax` bytes: the last of them, or with `isBeginning` the next. */
function readNews(file: string, offset: number, bytesMax: number, isBeginning: boolean): News {
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    const size = fstatSync(handle).size;
    if (size <= offset || bytesMax === 0) return { offset, bytes: NOTHING };
    const from = isBeginning ? offset : Math.max(offset, size - bytesMax);
    const bytes = Buffer.alloc(Math.min(size - from, bytesMax));
    const count = readSync(handle, bytes, 0, bytes.length, from);
    const torn = from === offset ? 0 : measureTornHead(bytes);
    return { offset: from + torn, bytes: bytes.subarray(torn, count) };
  } catch {
    // Not there yet, or not there any more: nothing new either way.
    return { offset, bytes: NOTHING };
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Cuts what is new into outputs; `bytes` says how much of it they hold. */
function cutNews(stream: OutputStream, news: News, isLast: boolean): { outputs: readonly Output[]; bytes: number } {
  const outputs: Output[] = [];
  let at = 0;
  while (at < news.bytes.length) {
    const piece = takePiece(news.bytes.subarray(at), LOG_TEXT_BYTES_MAX, isLast);
    if (piece === undefined) break;
    outputs.push({ stream, offset: news.offset + at, text: piece.text, lossy: piece.lossy });
    at += piece.bytes;
  }
  return { outputs, bytes: at };
}
