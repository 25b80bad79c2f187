/**
 * Steps that tests of transfers share: create files, build bundles, and wait for a callback.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Manifest } from '../../src/protocol/manifest.js';
import { sealBundle } from '../../src/transfer/bundle/manifest-bundle.js';
import type { Bundle, Outcome, Fetched, FetchRequest, Transfer } from '../../src/transfer/transfer.js';

/** Waits for the single call of `done`. */
export function ended<T>(start: (done: (ended: Outcome<T>) => void) => void): Promise<Outcome<T>> {
  return new Promise((resolve) => start(resolve));
}

/** Resolves with the value of a success; throws the reason of a failure. */
export async function succeeded<T>(start: (done: (ended: Outcome<T>) => void) => void): Promise<T> {
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

/** Reads every file below a directory as text. Empty directories are listed with a final `/`. */
export function readFiles(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const path = join(root, name);
    if (statSync(path).isFile()) found[name] = readFileSync(path, 'utf8');
    else if (readdirSync(path).length === 0) found[`${name}/`] = '';
  }
  return found;
}

/** Writes files below `root` and returns their bundle. */
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

/** Bytes that look random and are always the same for a seed. */
export function makeBytes(length: number, seed = 1): Buffer {
  const block = createHash('sha512').update(String(seed)).digest();
  const bytes = Buffer.alloc(length, block);
  for (let at = 0; at + 4 <= length; at += 4096) bytes.writeUInt32LE(at >>> 0, at);
  return bytes;
}

/** Fetches a share and waits for the outcome. */
export function fetchOnce(transfer: Transfer, order: Omit<FetchRequest, 'onProgress'>): Promise<Outcome<Fetched>> {
  return ended((done) => void transfer.fetch({ ...order, onProgress: () => undefined }, done));
}
