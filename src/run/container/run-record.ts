/** The file `container` in the directory of a run that is a container: what a node needs to find it after a crash. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunHandle } from '../runner.js';

/** The record of one run. JSON. */
export interface ContainerRunRecord {
  /** Whether it was found on this machine or came from another node. */
  readonly kind: 'found' | 'copy';
  /** Full container id. */
  readonly id: string;
  /** The first process of an external container, once known; `null` for a copy. */
  readonly handle: RunHandle | null;
  /** CPU and wall-clock time used on earlier machines. */
  readonly cpuS: number;
  readonly wallMs: number;
}

const FILE = 'container';

/** Writes the record atomically, creating the directory. Throws the file system's errors. */
export function writeRunRecord(directory: string, head: ContainerRunRecord): void {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(head)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Reads the record; `undefined` when there is none or it cannot be read. */
export function readRunRecord(directory: string): ContainerRunRecord | undefined {
  try {
    // Only this node writes it, and atomically.
    return JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as ContainerRunRecord;
  } catch {
    return undefined;
  }
}
