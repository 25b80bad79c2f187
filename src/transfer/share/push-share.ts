/**
 * Pushes a shared bundle to a peer that could not fetch it: first the manifest, which is answered with the first
 * missing byte, then the bytes from there. A broken connection is retried with growing pauses; a peer that takes no
 * connection is not called again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { readBundle } from '../bundle/bundle-reader.js';
import { Refused } from '../outcome.js';
import { encodeManifest } from '../bundle/manifest-bundle.js';
import type { PeerClient, PushAnswer } from '../peer/peer-client.js';
import { Unreachable } from '../peer/peer-connect.js';
import type { Share } from '../transfer.js';

/** What a push depends on. */
export interface PushTools {
  readonly client: PeerClient;
  readonly retryDelaysMs: readonly number[];
}

/** Pushes a share to `urls`. Throws Refused when a retry cannot help, Unreachable when the peer cannot be reached. */
export async function pushShare(
  share: Share,
  urls: readonly string[],
  { client, retryDelaysMs }: PushTools,
  signal: AbortSignal,
): Promise<undefined> {
  let reached = 0;
  for (let round = 0; ; round += 1) {
    try {
      return await pushOnce(share, urls, client, signal, (offset) => {
        if (offset > reached) round = 0;
        reached = Math.max(reached, offset);
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Unreachable) || error.isUncalled || error.isRefusal) throw error;
      const delayMs = retryDelaysMs[round];
      if (delayMs === undefined) throw error;
      await pause(delayMs, undefined, { signal });
    }
  }
}

async function pushOnce(
  { share, bundle, peerKey }: Share,
  urls: readonly string[],
  client: PeerClient,
  signal: AbortSignal,
  note: (offset: number) => void,
): Promise<undefined> {
  const manifest = encodeManifest(bundle.manifest);
  const to = { peerKey, urls, signal };
  const first = await client.put({
    ...to,
    path: `/p/${share}/manifest`,
    bytes: manifest.length,
    body: () => [manifest],
  });
  const start = readOffset(first, bundle.bytes);
  note(start);
  if (start === bundle.bytes) return undefined;
  const last = await client.put({
    ...to,
    path: `/p/${share}/bytes`,
    bytes: bundle.bytes - start,
    range: `bytes ${start}-${bundle.bytes - 1}/${bundle.bytes}`,
    body: () => readBundle(bundle, start),
  });
  if (last.status !== 200) note(readOffset(last, bundle.bytes));
  if (last.status !== 200) throw new Unreachable('bytes come in another way there');
  return undefined;
}

function readOffset({ status, text }: PushAnswer, total: number): number {
  if (status === 404) throw new Unreachable(text, { isRefusal: true });
  const offset = Number(text);
  const isOffset = (status === 200 || status === 409) && /^\d{1,15}$/.test(text) && offset <= total;
  if (!isOffset) throw new Refused(`it takes no push: ${text} (status ${status})`);
  return offset;
}
