/**
 * The manifest as bytes: encoded for a bundle, and parsed only after its hash was verified. A parsed manifest never
 * names a path twice, a file below another file, or anything in the directory where a fetch keeps its parts.
 */
import { createHash } from 'node:crypto';
import { manifestSchema, type Manifest } from '../../protocol/manifest.js';
import { MANIFEST_BYTES_MAX, MANIFEST_FILES_MAX } from '../../protocol/limits.js';
import { Refused } from '../outcome.js';
import type { Bundle } from '../transfer.js';

/** Directory below a fetch's target directory where files grow until they are complete. */
export const PARTS_DIRECTORY = '.tritmesh-parts';

/** Encodes a manifest to the bytes that are served and hashed. */
export function encodeManifest(manifest: Manifest): Buffer {
  return Buffer.from(JSON.stringify(manifest), 'utf8');
}

/** Creates a bundle; `room` is its disk space in bytes. Throws {@link Refused} if the manifest exceeds a limit. */
export function sealBundle(root: string, manifest: Manifest, room: number = sumBytes(manifest)): Bundle {
  if (manifest.files.length > MANIFEST_FILES_MAX) {
    throw new Refused(
      `${manifest.files.length} files are too many: at most ${MANIFEST_FILES_MAX} travel with one item`,
    );
  }
  const bytes = encodeManifest(manifest);
  if (bytes.length > MANIFEST_BYTES_MAX) {
    throw new Refused(`the list of files takes ${bytes.length} bytes, at most ${MANIFEST_BYTES_MAX} travel`);
  }
  return { root, manifest, sha256: hash(bytes), bytes: sumBytes(manifest), count: manifest.files.length, room };
}

/** Parses a manifest. Throws {@link Refused} when its hash is not `sha256` or it is not valid. */
export function openManifest(bytes: Buffer, sha256: string): Manifest {
  if (hash(bytes) !== sha256) throw new Refused('the manifest has another sha256 than the one that was announced');
  const parsed = manifestSchema.safeParse(parseJson(bytes));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Refused(`the manifest is not valid: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
  }
  refuseConflicts(parsed.data);
  return parsed.data;
}

/** Size of all files together, in bytes. */
export function sumBytes(manifest: Manifest): number {
  return manifest.files.reduce((sum, file) => sum + file.size, 0);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    throw new Refused('the manifest is not JSON');
  }
}

function refuseConflicts(manifest: Manifest): void {
  const files = new Set(manifest.files.map((file) => file.path));
  for (const directory of manifest.directories) {
    if (files.has(directory)) throw new Refused(`the manifest names ${directory} both as a file and as a directory`);
  }
  for (const path of [...files, ...manifest.directories]) {
    if (path === PARTS_DIRECTORY || path.startsWith(`${PARTS_DIRECTORY}/`)) {
      throw new Refused(`the manifest names ${path}, which is reserved`);
    }
    for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
      const parent = path.slice(0, cut);
      if (files.has(parent)) throw new Refused(`the manifest names ${parent} both as a file and as a directory`);
    }
  }
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
