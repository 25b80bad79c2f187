/**
 * The file that records which node a state directory belongs to. It is read and replaced as a whole, so a power loss
 * leaves either the old record or the new one. Only the node's own user may read it, like the key next to it.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatNodeRecord, parseNodeRecord, RECORD_PATH, type NodeRecord } from '../core/identity/node-record.js';
import { readTextIfThere } from '../os/try-read.js';
import { syncDirectory, writeWhole } from '../os/write-whole.js';

/** Path of the record of a node below its state directory. */
export function recordPath(stateDir: string): string {
  return join(stateDir, ...RECORD_PATH);
}

/** Reads the record; `undefined` when there is none or it is damaged. The journal knows the id too. */
export function readRecord(stateDir: string): NodeRecord | undefined {
  const text = readTextIfThere(recordPath(stateDir));
  const read = text === undefined ? undefined : parseNodeRecord(text);
  return read?.ok === true ? read.record : undefined;
}

/** Writes the record; it is on disk when this returns. Throws file system errors. */
export function writeRecord(stateDir: string, record: NodeRecord): void {
  const path = recordPath(stateDir);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeWhole(path, formatNodeRecord(record));
  syncDirectory(dirname(path));
}
