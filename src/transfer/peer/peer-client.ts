/**
 * Asks one peer over HTTPS, at whichever of its addresses answers first. Connections are kept and used again, and which
 * address was good is remembered.
 */
import { Agent, request } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { networkInterfaces } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import type { TlsPair } from '../../identity/certificate.js';
import { describeError } from '../../os/errors.js';
import { describePeerUrl } from '../../protocol/peer-address.js';
import { Refused } from '../outcome.js';
import type { Interfaces } from './listen-addresses.js';
import { orderUrls } from './order-urls.js';
import { checkAnswer, readRefusal } from './peer-answer.js';
import { connectPeer, Unreachable } from './peer-connect.js';

/** A stream that stands still so long is cut: it goes on from there, or another way is found. */
const IDLE_MS = 10_000;
/** Connections to one peer, and peers whose connections are kept. */
const SOCKETS_PER_PEER = 8;
const PEERS_KEPT = 64;

/** What to ask a peer. */
export interface Question {
  readonly peerKey: string;
  /** `https://host:port`: its addresses, in any order. */
  readonly urls: readonly string[];
  readonly path: string;
  /** First byte wanted. */
  readonly start: number;
  readonly signal: AbortSignal;
}

/** What to bring to a peer. */
export interface PeerDelivery extends Omit<Question, 'start'> {
  /** How long the body is. */
  readonly bytes: number;
  /** `content-range`, where it is a part. */
  readonly range?: string | undefined;
  readonly body: () => Iterable<Buffer> | AsyncIterable<Buffer>;
}

/** What a peer said to a delivery; of a long text its beginning. */
export interface PushAnswer {
  readonly status: number;
  readonly text: string;
}

/** Asks peers. */
export interface PeerClient {
  /** Gives the body of a good answer. Throws {@link Unreachable} or {@link Refused}. */
  get(question: Question): Promise<IncomingMessage>;
  /** Brings a body of JSON, and gives that of the answer, if any. Throws {@link Unreachable} or {@link Refused}. */
  post(question: Question, body: string): Promise<IncomingMessage>;
  /** Gives the answer, good or not. Throws {@link Unreachable}, or what reading the body throws. */
  put(delivery: PeerDelivery): Promise<PushAnswer>;
  /** Makes a connection of its own and ends it; gives the address that answered. Throws {@link Unreachable}. */
  call(peerKey: string, urls: readonly string[]): Promise<string>;
  close(): void;
}

/** How a client presents itself and how long it waits, in milliseconds. */
export interface PeerClientOptions {
  readonly tls: TlsPair;
  /** How long one address may take to give a connection. */
  readonly connectMs?: number | undefined;
  /** Silence after which a connection counts as cut. */
  readonly idleMs?: number | undefined;
  /** The networks that this machine is in. */
  readonly interfaces?: (() => Interfaces) | undefined;
}

/** One peer: its kept connections, and what is known of its addresses. */
interface Peer {
  readonly agent: Agent;
  urls: readonly string[];
  lastGood: string | undefined;
  /** Addresses whose connections broke since one was good: tried last. */
  readonly failed: Set<string>;
  readonly calledAt: WeakMap<object, string>;
}

/** Makes a client; it opens nothing until it is asked. */
export function createPeerClient(options: PeerClientOptions): PeerClient {
  const peers = new Map<string, Peer>();

  function peerOf({ peerKey, urls }: Pick<Question, 'peerKey' | 'urls'>): Peer {
    if (urls.length === 0) throw new Refused('it names no address that it could be called at');
    const known = peers.get(peerKey);
    if (known === undefined && peers.size >= PEERS_KEPT) forgetIdle(peers);
    const peer = known ?? createPeer(peerKey, options);
    peer.urls = urls;
    peers.set(peerKey, peer);
    return peer;
  }

  return {
    get: async (question) => checkAnswer(await ask(question, peerOf(question), options.idleMs ?? IDLE_MS), question),
    post: async (question, body) =>
      checkAnswer(await ask(question, peerOf(question), options.idleMs ?? IDLE_MS, body), question),
    put: (delivery) => put(delivery, peerOf(delivery), options.idleMs ?? IDLE_MS),
    call: (peerKey, urls) =>
      new Promise((resolve, reject) => {
        if (urls.length === 0) return reject(new Refused('it names no address that it could be called at'));
        connectPeer({ ...options, peerKey, urls }, (error, socket, url = '') => {
          if (socket === undefined) return reject(error ?? new Unreachable('no connection'));
          socket.destroy();
          resolve(url);
        });
      }),
    close: () => {
      for (const { agent } of peers.values()) agent.destroy();
      peers.clear();
    },
  };
}

function forgetIdle(peers: Map<string, Peer>): void {
  for (const [peerKey, { agent }] of peers) {
    if (Object.keys(agent.sockets).length > 0 || Object.keys(agent.requests).length > 0) continue;
    agent.destroy();
    peers.delete(peerKey);
    return;
  }
}

/** A peer whose every connection ends at the holder of `peerKey`, whatever address it is called at. */
function createPeer(peerKey: string, options: PeerClientOptions): Peer {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_PER_PEER, scheduling: 'lifo' });
  const peer: Peer = { agent, urls: [], lastGood: undefined, failed: new Set(), calledAt: new WeakMap() };
  const interfaces = options.interfaces ?? listInterfaces;
  Object.assign(agent, {
    getName: () => peerKey,
    createConnection: (_to: unknown, done: (error: Error | null, socket?: TLSSocket) => void): void => {
      const urls = orderUrls(peer.urls, interfaces(), peer.lastGood, peer.failed);
      connectPeer({ tls: options.tls, peerKey, urls, connectMs: options.connectMs }, (error, socket, url) => {
        if (socket === undefined || url === undefined) return done(error);
        peer.calledAt.set(socket, url);
        peer.lastGood = url;
        done(null, socket);
      });
    },
  });
  return peer;
}

/** Listing them takes a descriptor: where there is none, the peer's own order must do. */
function listInterfaces(): Interfaces {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

function ask(
  { urls, path, start, signal }: Question,
  peer: Peer,
  idleMs: number,
  body?: string,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { ...(start > 0 ? { range: `bytes=${start}-` } : {}), ...describeBody(body) };
    const method = body === undefined ? 'GET' : 'POST';
    const options = { method, agent: peer.agent, headers, signal, timeout: idleMs };
    const asked = request(new URL(path, urls[0]), options, resolve);
    asked.once('timeout', () => asked.destroy(new Error(`silent for ${idleMs} ms`)));
    doubtReused(asked, peer);
    asked.on('error', (error) => {
      if (error instanceof Unreachable) return reject(error);
      reject(new Unreachable(`${blame(peer, asked.socket)}: ${describeError(error)}`, { cause: error }));
    });
    asked.end(body);
  });
}

function describeBody(body: string | undefined): Record<string, string | number> {
  if (body === undefined) return {};
  return { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
}

function put(delivery: PeerDelivery, peer: Peer, idleMs: number): Promise<PushAnswer> {
  const { urls, path, bytes, range, body, signal } = delivery;
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': bytes, ...(range === undefined ? {} : { 'content-range': range }) };
    const how = { agent: peer.agent, method: 'PUT', headers, signal, timeout: idleMs };
    let isAnswered = false;
    const asked = request(new URL(path, urls[0]), how, (answer) => {
      isAnswered = true;
      void readRefusal(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.once('timeout', () => asked.destroy(new Error(`silent for ${idleMs} ms`)));
    if (bytes <= SMALL_BODY_BYTES) doubtReused(asked, peer);
    const fail = (error: unknown): void => {
      // A peer that has heard enough answers before the end, and closes.
      if (isAnswered) return;
      if (error instanceof Unreachable || error instanceof Refused) return reject(error);
      reject(new Unreachable(`${blame(peer, asked.socket)}: ${describeError(error)}`, { cause: error }));
    };
    asked.on('error', fail);
    pipeline(Readable.from(body()), asked).catch(fail);
  });
}

/**
 * How long a connection that was kept may take to answer, ms: a firewall may have closed behind it, and nobody says so.
 */
const KEPT_ANSWER_MS = 3000;
const SMALL_BODY_BYTES: number = 64 * 1024;

/**
 * A kept connection that does not answer soon is given up with all that are kept: a new one tells at once how things
 * are.
 */
function doubtReused(asked: ClientRequest, { agent }: Peer): void {
  asked.once('socket', () => {
    if (!asked.reusedSocket) return;
    const timer = setTimeout(() => {
      for (const kept of Object.values(agent.freeSockets).flat()) kept?.destroy();
      asked.destroy(new Error(`a kept connection is silent for ${KEPT_ANSWER_MS} ms`));
    }, KEPT_ANSWER_MS);
    for (const event of ['response', 'close'] as const) asked.once(event, () => clearTimeout(timer));
  });
}

/** The address that a connection which broke was made to: the others are tried before it from now on. */
function blame(peer: Peer, socket: object | null): string {
  const url = (socket === null ? undefined : peer.calledAt.get(socket)) ?? peer.lastGood ?? peer.urls[0] ?? '';
  if (peer.failed.size >= peer.urls.length) peer.failed.clear();
  peer.failed.add(url);
  if (peer.lastGood === url) peer.lastGood = undefined;
  return describePeerUrl(url);
}
