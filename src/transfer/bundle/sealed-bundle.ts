/**
 * A small bundle as one sealed text: the length of its manifest (4 bytes, big endian), the manifest, and the bytes of
 * its files in that order. Opening it applies the same checks as a fetch.
 */
import { sealTo, type Sealer } from '../../identity/seal.js';
import { SEALED_BUNDLE_BYTES_MAX, SEALED_OUTPUTS_BYTES_MAX } from '../../protocol/limits.js';
import { readBundle } from './bundle-reader.js';
import { Refused } from '../outcome.js';
import { encodeManifest, openManifest, sumBytes } from './manifest-bundle.js';
import type { Bundle, Fetched, OpenRequest } from '../transfer.js';
import { openTree } from '../tree/tree-writer.js';

const LENGTH_BYTES = 4;

/** Seals a bundle to a peer's seal key. Returns base64, or `undefined` when the bundle is too large for a message. */
export async function sealBundleTo(sealKey: string, share: string, bundle: Bundle): Promise<string | undefined> {
  if (bundle.bytes > SEALED_OUTPUTS_BYTES_MAX) return undefined;
  const manifest = encodeManifest(bundle.manifest);
  if (LENGTH_BYTES + manifest.length + bundle.bytes > SEALED_BUNDLE_BYTES_MAX) return undefined;
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(manifest.length);
  const parts: Uint8Array[] = [length, manifest];
  for await (const chunk of readBundle(bundle, 0)) parts.push(chunk);
  return sealTo(sealKey, Buffer.concat(parts), share);
}

/** Unseals a bundle into the order's directory. Throws Refused when it does not match the order. */
export async function openSealed(order: OpenRequest, sealer: Sealer): Promise<Fetched> {
  const bytes = sealer.open(order.sealed, order.share);
  if (bytes === undefined || bytes.length < LENGTH_BYTES) throw new Refused('what was sealed cannot be opened');
  const end = LENGTH_BYTES + bytes.readUInt32BE(0);
  const manifest = openManifest(bytes.subarray(LENGTH_BYTES, end), order.sha256);
  const contents = bytes.subarray(end);
  if (contents.length !== sumBytes(manifest)) throw new Refused('what was sealed is not as long as its manifest says');
  const tree = await openTree(order.directory, manifest);
  try {
    // Bytes left by an earlier, interrupted fetch are reused.
    await tree.write(contents.subarray(tree.offset()));
    await tree.finish();
  } finally {
    await tree.close();
  }
  const { command, files, directories } = manifest;
  return { command, contents: { files, directories }, bytes: contents.length, count: files.length };
}
