/**
 * The record of whose a state directory is, as a file: read whole, and replaced whole, so that a loss of power leaves the old
 * record or the new one. Only the node's own user may read it, like the key beside it.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatRecord, parseRecord, RECORD_PATH, type NodeRecord } from '../core/node-record.js';

/** Where the record of a node lies below its state directory. */
export function recordPath(stateDir: string): string {
  return join(stateDir, ...RECORD_PATH);
}

/** Reads the record; `undefined` when there is none, or when it is damaged: the journal knows the id too. */
export function readRecord(stateDir: string): NodeRecord | undefined {
  let text: string;
  try {
    text = readFileSync(recordPath(stateDir), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const read = parseRecord(text);
  return read.ok ? read.record : undefined;
}

/** Writes the record; it is on disk when this returns. Throws what the system says. */
export function writeRecord(stateDir: string, record: NodeRecord): void {
  const path = recordPath(stateDir);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.new`;
  try {
    writeDraft(draft, formatRecord(record));
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

function writeDraft(draft: string, text: string): void {
  const file = openSync(draft, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The rename itself must reach the disk; where a directory cannot be synced (Windows), the system sees to it in time. */
function syncDirectory(path: string): void {
  try {
    const directory = openSync(path, 'r');
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  } catch {
    // The record is whole either way.
  }
}
