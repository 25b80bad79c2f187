/**
 * The log of a supervisor as it writes it: in place, over line ends that were written ahead, so that how a run ended
 * can be recorded on a full disk. What the lines mean is not known here.
 */
import { closeSync, fstatSync, ftruncateSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { formatLine, type SupervisorLine } from '../lines.js';

/** The log file. */
export interface LogFile {
  /** Appends a line. Returns the name of the error if that fails. */
  append(line: SupervisorLine): string | undefined;
  /** Makes room for `bytes` ahead of what is written. Returns the name of the error if that fails. */
  reserve(bytes: number): string | undefined;
  /** Bytes written. */
  size(): number;
  /** Replaces the log by one with these lines; keeps the old one if that fails. */
  replace(lines: readonly SupervisorLine[]): void;
}

/** Room is made in pieces of this size. */
const PIECE_BYTES = 16 * 1024;

/**
 * Creates the log with its first line in it; `undefined` when there is one already. Throws the file system's errors.
 */
export function createLogFile(path: string, first: SupervisorLine): LogFile | undefined {
  const draft = `${path}.${process.pid}`;
  let { fd, written, room } = openDraft(draft, [first], PIECE_BYTES);
  try {
    linkSync(draft, path);
  } catch (error) {
    closeSync(fd);
    if (nameError(error) === 'EEXIST') return undefined;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }

  function reserve(bytes: number): string | undefined {
    if (written + bytes <= room) return undefined;
    const size = Math.max(PIECE_BYTES, written + bytes - room);
    try {
      room += writeWhole(fd, '\n'.repeat(size), room);
      return undefined;
    } catch (error) {
      return nameError(error);
    }
  }

  return {
    append: (line) => {
      const text = formatLine(line);
      const fault = reserve(Buffer.byteLength(text) + 1);
      if (fault !== undefined) return fault;
      try {
        written += writeWhole(fd, text, written);
        return undefined;
      } catch (error) {
        return nameError(error);
      }
    },
    reserve,
    size: () => written,
    replace: (lines) => {
      try {
        const next = openDraft(draft, lines, room);
        renameSync(draft, path);
        closeSync(fd);
        ({ fd, written, room } = next);
      } catch {
        rmSync(draft, { force: true });
      }
    },
  };
}

interface Draft {
  readonly fd: number;
  readonly written: number;
  readonly room: number;
}

function openDraft(path: string, lines: readonly SupervisorLine[], roomBytes: number): Draft {
  const fd = openSync(path, 'w', 0o600);
  try {
    const text = lines.map(formatLine).join('');
    const written = writeWhole(fd, text, 0);
    const room = written + writeWhole(fd, '\n'.repeat(Math.max(PIECE_BYTES, roomBytes - written)), written);
    return { fd, written, room };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Writes all of a text and returns its bytes; a file that was lengthened only in part is cut back. */
function writeWhole(fd: number, text: string, at: number): number {
  const bytes = Buffer.from(text);
  const before = fstatSync(fd).size;
  let done = 0;
  try {
    while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
    return bytes.length;
  } catch (error) {
    if (at + done > before) ftruncateSync(fd, before);
    throw error;
  }
}

/** The name of a system error, such as ENOSPC. */
export function nameError(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EUNKNOWN';
}
