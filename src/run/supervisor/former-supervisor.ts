/**
 * A supervisor that this node process has no pipe to: one of an earlier boot, or one whose pipe broke. Its log says
 * what became of its runs, and its file of leases is how their deadlines are extended.
 */
import { closeSync, linkSync, openSync, readdirSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, errorCode } from '../../os/errors.js';
import { isAlive } from '../processes/process-table.js';
import { writeSlot } from './lease-slots.js';
import { formatLine, parseLines } from './lines.js';
import { createRecords, recordLine, type RunRecord, type SupervisorRecords } from './run-record.js';

/** A supervisor that is known by its files. */
export interface FormerSupervisor {
  readonly directory: string;
  readonly records: SupervisorRecords;
  /** Reads what has been logged since the last call. Keeps what it knows if that fails. */
  refresh(): void;
  /** Whether the process is gone. */
  isDead(): boolean;
  /** Extends the deadline of a run. Throws the file system's errors. */
  writeLease(run: Pick<RunRecord, 'id' | 'slot'>, leftMs: number, doubt: number): void;
}

/** Opens the supervisor of a directory and reads its log. */
export function openFormerSupervisor(directory: string): FormerSupervisor {
  const records = createRecords();
  const log = join(directory, 'log');
  let offset = 0;

  function refresh(): void {
    try {
      const { lines, length } = parseLines(readFrom(log, offset));
      offset += length;
      for (const line of lines) recordLine(records, line);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') forbid(directory);
    }
  }

  refresh();
  // One that had no log until now will find one and will not begin.
  if (records.handle === undefined) refresh();
  return {
    directory,
    records,
    refresh,
    isDead: () => records.handle === undefined || !isAlive(records.handle),
    writeLease: ({ id, slot }, leftMs, doubt) => writeSlot(join(directory, 'leases'), slot, { id, leftMs, doubt }),
  };
}

const PIECE_BYTES = 64 * 1024;

/** Reads a file from an offset to the first empty line, or to its end. */
function readFrom(path: string, offset: number): string {
  const fd = openSync(path, 'r');
  try {
    const parts: Buffer[] = [];
    let at = offset;
    for (;;) {
      const piece = Buffer.alloc(PIECE_BYTES);
      const bytes = readSync(fd, piece, 0, PIECE_BYTES, at);
      parts.push(piece.subarray(0, bytes));
      at += bytes;
      if (bytes < PIECE_BYTES || piece.includes('\n\n')) return Buffer.concat(parts).toString('utf8');
    }
  } finally {
    closeSync(fd);
  }
}

/** Creates the log in place of a supervisor that has not begun, which then never will. */
function forbid(directory: string): void {
  const draft = join(directory, `log.${process.pid}`);
  try {
    writeFileSync(draft, formatLine({ word: 'supervisor', kind: 'forbidden', handle: { pid: 0, start: '@' } }));
    linkSync(draft, join(directory, 'log'));
  } catch {
    // It has begun meanwhile, or the disk is full: the next look shows.
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The numbers of the supervisors below `place`, ascending. */
export function listSupervisors(place: string): readonly number[] {
  try {
    const names = readdirSync(place).filter((name) => /^\d{1,9}$/.test(name));
    return names.map(Number).toSorted((a, b) => a - b);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw new Error(`the supervisors of earlier boots cannot be listed: ${describeError(error)}`, { cause: error });
  }
}
