/**
 * Steps that tests of transfers share: make files, describe them, and wait for a callback.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Manifest } from '../../src/protocol/manifest.js';
import { sealBundle } from '../../src/transfer/manifest-bundle.js';
import type { Bundle, Ended, Fetched, FetchOrder, Transfer } from '../../src/transfer/transfer.js';

/** Waits for the one call of `done`. */
export function ended<T>(start: (done: (ended: Ended<T>) => void) => void): Promise<Ended<T>> {
  return new Promise((resolve) => start(resolve));
}

/** The value of what ended well; throws the reason otherwise. */
export async function succeeded<T>(start: (done: (ended: Ended<T>) => void) => void): Promise<T> {
  const result = await ended(start);
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

/** Files by path. */
export type Files = Readonly<Record<string, string | Buffer>>;

/** Writes files below a directory. */
export function writeFiles(root: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** Reads every file below a directory, as text; directories that hold nothing end in `/`. */
export function readFiles(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const path = join(root, name);
    if (statSync(path).isFile()) found[name] = readFileSync(path, 'utf8');
    else if (readdirSync(path).length === 0) found[`${name}/`] = '';
  }
  return found;
}

/** A bundle of files that are written below `root` first. */
export function bundleFiles(root: string, files: Files, more: Partial<Manifest> = {}): Bundle {
  writeFiles(root, files);
  const listed = Object.entries(files).map(([path, content]) => ({
    path,
    size: Buffer.byteLength(content),
    mode: 0o644,
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
  return sealBundle(root, { files: listed, directories: [], ...more });
}

/** Bytes that look random and are the same every time. */
export function makeBytes(length: number, seed = 1): Buffer {
  const block = createHash('sha512').update(String(seed)).digest();
  const bytes = Buffer.alloc(length, block);
  for (let at = 0; at + 4 <= length; at += 4096) bytes.writeUInt32LE(at >>> 0, at);
  return bytes;
}

/** Fetches and waits. */
export function fetchOnce(transfer: Transfer, order: Omit<FetchOrder, 'onProgress'>): Promise<Ended<Fetched>> {
  return ended((done) => void transfer.fetch({ ...order, onProgress: () => undefined }, done));
}
