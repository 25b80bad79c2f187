/**
 * Answers peers' requests for shared bundles. A peer is identified only by the key of its certificate, and a share
 * that does not exist gets the same answer as one that belongs to another peer. It never opens a path that was taken
 * from a request.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createPieceMemory, readBundle } from '../bundle/bundle-reader.js';
import { Refused } from '../outcome.js';
import { encodeManifest } from '../bundle/manifest-bundle.js';
import { answerText, type PeerRequest } from '../peer/peer-listener.js';
import type { Bundle, Share } from '../transfer.js';

/** Concurrent streams; further requests are told to retry later. */
const STREAMS_MAX = 64;

/** Shares by name, and the answers to requests for them. */
export interface ShareServer {
  share(share: Share): void;
  unshare(name: string): void;
  /** Returns what is shared under a name. */
  find(name: string): Share | undefined;
  answer(asked: PeerRequest): void;
}

interface Shared {
  readonly share: Share;
  /** Why the source no longer matches its manifest; returned to every later request. */
  fault?: string;
}

/** Creates a server without shares. */
export function createShareServer(): ShareServer {
  const shares = new Map<string, Shared>();
  let streams = 0;

  function answer({ peerKey, request, response }: PeerRequest): void {
    const [name, part] = splitPath(request.url ?? '');
    const shared = shares.get(name);
    const isKnown = request.method === 'GET' && shared !== undefined && peerKey === shared.share.peerKey;
    if (!isKnown) answerText(response, 404, 'there is no such share for this peer');
    else if (shared.fault !== undefined) answerText(response, 409, shared.fault);
    else if (part === 'manifest') send(response, encodeManifest(shared.share.bundle.manifest));
    else if (streams >= STREAMS_MAX) answerText(response, 503, 'too many transfers at once');
    else void stream(shared, request, response);
  }

  async function stream(shared: Shared, request: IncomingMessage, response: ServerResponse): Promise<void> {
    streams += 1;
    try {
      await sendBytes(shared.share, request, response);
    } catch (error) {
      if (error instanceof Refused) shared.fault = error.message;
      // Too late for a status: the peer sees a broken connection, asks again, and receives the fault.
      response.destroy();
    } finally {
      streams -= 1;
    }
  }

  return {
    share: (share) => void shares.set(share.share, { share }),
    unshare: (name) => void shares.delete(name),
    find: (name) => shares.get(name)?.share,
    answer,
  };
}

/** Splits `/t/<share>/manifest` or `/t/<share>/bytes`; anything else names no share. */
function splitPath(url: string): readonly [string, 'manifest' | 'bytes'] {
  const match = /^\/t\/(.+)\/(manifest|bytes)$/.exec(url);
  return [match?.[1] ?? '', match?.[2] === 'manifest' ? 'manifest' : 'bytes'];
}

async function sendBytes(share: Share, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const total = share.bundle.bytes;
  const start = readRangeStart(request.headers.range);
  if (start > total) return answerText(response, 416, `there are ${total} bytes`);
  const isPart = request.headers.range !== undefined;
  response.writeHead(isPart ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': total - start,
    ...(isPart ? { 'content-range': `bytes ${start}-${Math.max(start, total - 1)}/${total}` } : {}),
  });
  await writePieces(share.bundle, start, response);
}

/** Pieces handed to the connection and not sent yet: it must not run dry while the next one is fetched. */
const PIECES_AHEAD = 2;

/** A piece's memory is used again once it has left this process. */
async function writePieces(bundle: Bundle, start: number, response: ServerResponse): Promise<void> {
  const memory = createPieceMemory();
  let ahead = 0;
  let wake: () => void = () => undefined;
  const isFull = (): boolean => ahead >= PIECES_AHEAD && !response.destroyed;
  response.once('close', () => wake());
  for await (const piece of readBundle(bundle, start, memory)) {
    ahead += 1;
    response.write(piece, () => {
      ahead -= 1;
      memory.give(Buffer.from(piece.buffer));
      wake();
    });
    while (isFull()) await new Promise<void>((resolve) => (wake = resolve));
    if (response.destroyed) return;
  }
  response.end();
}

/** Only `bytes=N-` is supported: resuming needs nothing else. */
function readRangeStart(range: string | undefined): number {
  const match = /^bytes=(\d{1,15})-$/.exec(range ?? 'bytes=0-');
  return match === null ? Number.POSITIVE_INFINITY : Number(match[1]);
}

function send(response: ServerResponse, bytes: Buffer): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length });
  response.end(bytes);
}
