/**
 * The direct path over HTTPS: `POST /m` at the other side's listener, mutual TLS with the keys of both nodes. What
 * waits for a peer rides in the answer to what that peer brings, so that one of the two need not be reachable. An
 * answer with status 200 says that the bytes have arrived, and nothing else.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeBatch, encodeBatch, type Batch } from './direct-batch.js';
import type { Direct, DirectMessage, DirectVerdict } from '../direct.js';
import { createMail } from './direct-mail.js';
import type { PeerClient } from '../peer/peer-client.js';
import { answerText, type PeerListener, type PeerRequest } from '../peer/peer-listener.js';
import { readAll } from '../tree/read-all.js';

/** Bytes of one request or answer. */
const BODY_BYTES_MAX: number = 256 * 1024;
/** How long a request is held for an answer, and how long one in all may take, ms. */
const HOLD_MS = 1500;
const POST_MS = 10_000;
/** Requests under way to one peer. */
const POSTS_MAX = 2;

/** What the path is made of. */
export interface HttpsDirectOptions {
  readonly listener: PeerListener;
  /** Of its own: a transfer that takes all connections to a peer must not keep a lease waiting. */
  readonly client: PeerClient;
  readonly holdMs?: number | undefined;
}

/** A peer that was spoken with. */
interface Known {
  /** Where it said it listens now. */
  urls: readonly string[];
  posts: number;
  held: ((messages: readonly DirectMessage[]) => void) | undefined;
}

/** Peers whose state is kept. */
const KNOWN_MAX = 1024;

/** Makes the direct path; until it is opened, and after it was closed, peers are told to come again. */
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
    // Who sends a byte now and then must not take a connection from a lease.
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

  /** Until there is something to answer, but not for long; a later request takes the place of an earlier one. */
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

  /** Until nothing waits any more; after a failure the next message tries again. */
  async function postAll(key: string, urls: readonly string[], peer: Known): Promise<void> {
    peer.posts += 1;
    while (mail.has(key) && (await post(key, urls)));
    peer.posts -= 1;
  }

  async function post(key: string, urls: readonly string[]): Promise<boolean> {
    const messages = mail.take(key, BODY_BYTES_MAX);
    // Not `AbortSignal.any` with one that lives as long as the node: Node 20 keeps what was made of it.
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
      // It may have arrived all the same: said twice it does no harm.
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
