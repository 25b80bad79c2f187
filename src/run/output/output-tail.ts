/**
 * Follows `stdout` and `stderr` of one run and returns new output as pieces of text at a bounded rate. Output above
 * the rate stays in the file and is skipped, oldest first. No file is held open between reads.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { LOG_BYTES_PER_S_MAX, LOG_TEXT_BYTES_MAX } from '../../protocol/limits.js';
import { measureTornHead, takePiece } from './utf8.js';

/** A stream of a run. */
export type OutputStream = 'stdout' | 'stderr';

/** A piece of new output. */
export interface Output {
  readonly stream: OutputStream;
  /** Offset of the text in the stream, in bytes. */
  readonly offset: number;
  readonly text: string;
  readonly lossy: boolean;
}

/** Reads the output of one run as it grows. */
export interface OutputTail {
  /**
   * Reads what is new. `now`: milliseconds on any monotonic clock. `isLast`: the run has ended, so an incomplete
   * character at the end is returned as it is, and the reserved part of the second's bytes may be used.
   */
  read(now: number, isLast: boolean): readonly Output[];
}

const STREAMS: readonly OutputStream[] = ['stdout', 'stderr'];
/** Reserved in each second for the last read, so that the final lines are always seen. */
const RESERVE_BYTES = LOG_TEXT_BYTES_MAX;

/**
 * The beginning of a stream is returned without gaps while the run is alive, however far ahead it is: a reader that
 * leaves early (`| head`) is noticed only when it is sent bytes that continue what it has.
 */
const BEGINNING_BYTES: number = 256 * 1024;

/** Creates the tail of a run, from the start of its output. */
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

/** Reads at most `bytesMax` bytes of a file after `offset`: the last ones, or with `isBeginning` the next ones. */
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
    // The file does not exist yet or any more: nothing new either way.
    return { offset, bytes: NOTHING };
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Splits new bytes into outputs; `bytes` is how many of them the outputs cover. */
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
