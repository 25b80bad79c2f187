/**
 * The direct path over HTTPS: `POST /m` at the other side's listener, with mutual TLS using both nodes' keys.
 * Messages queued for a peer travel in the answer to its next request, so only one of the two has to be reachable.
 * Status 200 means that the bytes have arrived, nothing more.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeBatch, encodeBatch, type Batch } from './direct-batch.js';
import type { Direct, DirectMessage, DirectVerdict } from '../direct.js';
import { createMail } from './direct-mail.js';
import type { PeerClient } from '../peer/peer-client.js';
import { answerText, type PeerListener, type PeerRequest } from '../peer/peer-listener.js';
import { readAll } from '../tree/read-all.js';

/** Size limit of one request or answer, bytes. */
const BODY_BYTES_MAX: number = 256 * 1024;
/** How long a request is held open for an answer, and how long one may take in total, ms. */
const HOLD_MS = 1500;
const POST_MS = 10_000;
/** Concurrent requests to one peer. */
const POSTS_MAX = 2;

/** What the direct path depends on. */
export interface HttpsDirectOptions {
  readonly listener: PeerListener;
  /** Not shared with transfers: one that uses up all connections to a peer must not delay a lease. */
  readonly client: PeerClient;
  readonly holdMs?: number | undefined;
}

/** State kept for a peer. */
interface Known {
  /** The addresses it reported last. */
  urls: readonly string[];
  posts: number;
  held: ((messages: readonly DirectMessage[]) => void) | undefined;
}

/** Peers with kept state; beyond this, an idle one is forgotten. */
const KNOWN_MAX = 1024;

/** Creates the direct path. Before it is opened and after it is closed, peers are told to retry later. */
export function createHttpsDirect({ listener, client, holdMs = HOLD_MS }: HttpsDirectOptions): Direct {
  const mail = createMail();
  const known = new Map<string, Known>();
  const posting = new Set<AbortController>();
  let isClosed = false;
  let take: ((peerKey: string, message: DirectMessage) => DirectVerdict) | undefined;
  listener.handle('/m', (asked) => void serve(asked));

  function know(key: string): Known {
    const one = known.get(key) ?? { urls: [], posts: 0, held: undefined };
    known.set(key, one);
    if (known.size > KNOWN_MAX) forgetIdle(known);
    return one;
  }

  async function serve({ peerKey, request, response }: PeerRequest): Promise<void> {
    if (request.method !== 'POST' || request.url !== '/m' || peerKey === undefined)
      return answerText(response, 404, 'there is nothing here for this peer');
    if (take === undefined) return answerText(response, 503, 'it is not ready yet');
    // A peer that trickles bytes must not take a connection away from a lease.
    const late = setTimeout(() => request.destroy(), POST_MS);
    const body = await readAll(request, BODY_BYTES_MAX);
    clearTimeout(late);
    const batch = decodeBatch(body);
    if (batch === undefined) return answerText(response, 400, 'that is no batch of messages');
    const verdicts = takeBatch(peerKey, batch);
    if (verdicts.has('taken')) hold(peerKey, batch, response);
    else if (verdicts.size === 0) respond(response, mail.take(peerKey, BODY_BYTES_MAX));
    else if (verdicts.has('malformed')) answerText(response, 400, 'a message cannot be read');
    else answerText(response, 404, 'there is nothing here for this peer');
  }

  function takeBatch(key: string, { messages }: Batch): ReadonlySet<DirectVerdict> {
    return new Set(messages.map((message) => take?.(key, message) ?? 'unknown'));
  }

  /** Holds a request until there is something to answer, at most `holdMs`; a later request replaces an earlier one. */
  function hold(key: string, { urls }: Batch, response: ServerResponse): void {
    const peer = know(key);
    if (urls.length > 0) peer.urls = urls;
    peer.held?.([]);
    const timer = setTimeout(() => end([]), holdMs);
    const end = (messages: readonly DirectMessage[]): void => {
      clearTimeout(timer);
      if (peer.held === end) peer.held = undefined;
      respond(response, messages);
    };
    response.once('close', () => {
      clearTimeout(timer);
      if (peer.held === end) peer.held = undefined;
    });
    peer.held = end;
    if (mail.has(key)) end(mail.take(key, BODY_BYTES_MAX));
  }

  function respond(response: ServerResponse, messages: readonly DirectMessage[]): void {
    if (response.writableEnded || response.destroyed) return;
    if (messages.length === 0) return void response.writeHead(204).end();
    const body = encodeBatch({ urls: listener.urls(), messages });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    response.end(body);
  }

  function pump(key: string, urls: readonly string[]): void {
    const peer = know(key);
    if (!mail.has(key)) return;
    if (peer.held !== undefined) return peer.held(mail.take(key, BODY_BYTES_MAX));
    const all = [...new Set([...urls, ...peer.urls])];
    if (all.length === 0 || peer.posts >= POSTS_MAX || isClosed) return;
    void postAll(key, all, peer);
  }

  /** Posts until the queue is empty; after a failure the next message tries again. */
  async function postAll(key: string, urls: readonly string[], peer: Known): Promise<void> {
    peer.posts += 1;
    while (mail.has(key) && (await post(key, urls)));
    peer.posts -= 1;
  }

  async function post(key: string, urls: readonly string[]): Promise<boolean> {
    const messages = mail.take(key, BODY_BYTES_MAX);
    // Not `AbortSignal.any` with a signal as old as the node: Node 20 never frees what is derived from it.
    const ending = new AbortController();
    posting.add(ending);
    const late = setTimeout(() => ending.abort(), POST_MS);
    const { signal } = ending;
    try {
      const body = encodeBatch({ urls: listener.urls(), messages });
      const answer = await client.post({ peerKey: key, urls, path: '/m', start: 0, signal }, body);
      await takeAnswer(key, answer);
      return true;
    } catch {
      // It may have arrived anyway; a duplicate does no harm.
      mail.putBack(key, messages);
      return false;
    } finally {
      clearTimeout(late);
      posting.delete(ending);
    }
  }

  async function takeAnswer(key: string, answer: IncomingMessage): Promise<void> {
    const batch = decodeBatch(await readAll(answer, BODY_BYTES_MAX));
    if (batch === undefined) return;
    if (takeBatch(key, batch).has('taken') && batch.urls.length > 0) know(key).urls = batch.urls;
  }

  return {
    open: (taking) => {
      take = taking;
    },
    send: ({ key, urls }, message) => {
      mail.put(key, message);
      pump(key, urls);
    },
    close: () => {
      take = undefined;
      isClosed = true;
      for (const one of posting) one.abort();
      for (const peer of known.values()) peer.held?.([]);
      client.close();
    },
  };
}

function forgetIdle(known: Map<string, Known>): void {
  for (const [key, { posts, held }] of known) {
    if (posts > 0 || held !== undefined) continue;
    known.delete(key);
    return;
  }
}
