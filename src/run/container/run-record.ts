/**
 * What the directory of a run that is a container says of it, for a node that finds it after a crash: the file
 * `container`.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunHandle } from '../runner.js';

/** One run. JSON. */
export interface ContainerRunRecord {
  /** It was found here, or came from elsewhere. */
  readonly kind: 'found' | 'copy';
  /** podman's full id. */
  readonly id: string;
  /** The first process of one that was found, as far as it is known; `null` for a copy. */
  readonly handle: RunHandle | null;
  /** What it used on the machines before. */
  readonly cpuS: number;
  readonly wallMs: number;
}

const FILE = 'container';

/** Writes it as a whole; makes the directory. Throws what the file system does. */
export function writeRunRecord(directory: string, head: ContainerRunRecord): void {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(head)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Reads it; `undefined` when the run is no container. */
export function readRunRecord(directory: string): ContainerRunRecord | undefined {
  try {
    // Only this node writes it, and as a whole.
    return JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as ContainerRunRecord;
  } catch {
    return undefined;
  }
}
