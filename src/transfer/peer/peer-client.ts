/**
 * Sends requests to a peer over HTTPS, at whichever of its addresses answers first. Connections are kept and reused,
 * and the address that worked is remembered.
 */
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { networkInterfaces } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { OnReadOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsPair } from '../../identity/certificate.js';
import { describeError } from '../../os/errors.js';
import { describePeerUrl } from '../../protocol/peer-address.js';
import { Refused } from '../outcome.js';
import type { Interfaces } from './listen-addresses.js';
import { orderUrls } from './order-urls.js';
import { checkAnswer, readRefusal } from './peer-answer.js';
import { doubtReused } from './kept-connections.js';
import { connectPeer, Unreachable } from './peer-connect.js';
import { openPeerLine, type PeerLine } from './peer-stream.js';

/** A stream silent for this long is cut, ms; the caller resumes it or finds another way. */
const IDLE_MS = 10_000;
/** Connections to one peer, and peers with kept connections. */
const SOCKETS_PER_PEER = 8;
const PEERS_KEPT = 64;

/** A request to a peer. */
export interface Question {
  readonly peerKey: string;
  /** `https://host:port`: its addresses, in any order. */
  readonly urls: readonly string[];
  readonly path: string;
  /** First byte to return. */
  readonly start: number;
  readonly signal: AbortSignal;
}

/** A body to send to a peer. */
export interface PeerDelivery extends Omit<Question, 'start'> {
  /** Length of the body. */
  readonly bytes: number;
  /** `content-range`, if the body is a part. */
  readonly range?: string | undefined;
  readonly body: () => Iterable<Buffer> | AsyncIterable<Buffer>;
}

/** A peer's answer to a delivery; a long text is truncated. */
export interface PushAnswer {
  readonly status: number;
  readonly text: string;
}

/** Sends requests to peers. */
export interface PeerClient {
  /** Returns the body of a good answer. Throws {@link Unreachable} or {@link Refused}. */
  get(question: Question): Promise<IncomingMessage>;
  /** Opens a connection for one large body. Throws {@link Refused}. */
  line(peerKey: string, urls: readonly string[]): PeerLine;
  /** Posts a JSON body and returns the body of a good answer, if any. Throws {@link Unreachable} or {@link Refused}. */
  post(question: Question, body: string): Promise<IncomingMessage>;
  /** Returns the answer, good or not. Throws {@link Unreachable}, or whatever reading the body throws. */
  put(delivery: PeerDelivery): Promise<PushAnswer>;
  /** Opens and closes a separate connection; returns its URL. Throws {@link Unreachable} or {@link Refused}. */
  call(peerKey: string, urls: readonly string[]): Promise<string>;
  close(): void;
}

/** The client's certificate and its timeouts, in milliseconds. */
export interface PeerClientOptions {
  readonly tls: TlsPair;
  /** How long one address may take to accept a connection. */
  readonly connectMs?: number | undefined;
  /** Silence after which a connection counts as broken. */
  readonly idleMs?: number | undefined;
  /** The network interfaces of this machine. */
  readonly interfaces?: (() => Interfaces) | undefined;
}

/** A peer's kept connections, and what is known about its addresses. */
interface Peer {
  readonly agent: Agent;
  urls: readonly string[];
  lastGood: string | undefined;
  /** Addresses whose connections broke after one had worked: tried last. */
  readonly failed: Set<string>;
  readonly calledAt: WeakMap<object, string>;
}

/** Creates a client; it opens no connection before the first request. */
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
    line: (peerKey, urls) => openLine(peerKey, peerOf({ peerKey, urls }), options),
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

/** Creates a peer whose connections all end at the holder of `peerKey`, whatever address is called. */
function createPeer(peerKey: string, options: PeerClientOptions): Peer {
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_PER_PEER, scheduling: 'lifo' });
  const peer: Peer = { agent, urls: [], lastGood: undefined, failed: new Set(), calledAt: new WeakMap() };
  Object.assign(agent, {
    getName: () => peerKey,
    createConnection: (_to: unknown, done: (error: Error | null, socket?: TLSSocket) => void): void =>
      dial(peer, peerKey, options, undefined, done),
  });
  return peer;
}

function dial(
  peer: Peer,
  peerKey: string,
  { tls, connectMs, interfaces = listInterfaces }: PeerClientOptions,
  onread: OnReadOpts | undefined,
  done: (error: Error | null, socket?: TLSSocket) => void,
): void {
  const urls = orderUrls(peer.urls, interfaces(), peer.lastGood, peer.failed);
  connectPeer({ tls, peerKey, urls, connectMs, onread }, (error, socket, url) => {
    if (socket === undefined || url === undefined) return done(error);
    peer.calledAt.set(socket, url);
    peer.lastGood = url;
    done(null, socket);
  });
}

function openLine(peerKey: string, peer: Peer, options: PeerClientOptions): PeerLine {
  return openPeerLine(
    (onread) =>
      new Promise((resolve, reject) => {
        dial(peer, peerKey, options, onread, (error, socket) => {
          if (socket === undefined) reject(error ?? new Unreachable('no connection'));
          else resolve(socket);
        });
      }),
    options.idleMs ?? IDLE_MS,
  );
}

/** Listing interfaces takes a file descriptor; without one the peer's own order has to do. */
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
    doubtReused(asked, peer.agent);
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
    if (bytes <= SMALL_BODY_BYTES) doubtReused(asked, peer.agent);
    const fail = (error: unknown): void => {
      // A peer that has read enough answers before the end and closes.
      if (isAnswered) return;
      if (error instanceof Unreachable || error instanceof Refused) return reject(error);
      reject(new Unreachable(`${blame(peer, asked.socket)}: ${describeError(error)}`, { cause: error }));
    };
    asked.on('error', fail);
    pipeline(Readable.from(body()), asked).catch(fail);
  });
}

const SMALL_BODY_BYTES: number = 64 * 1024;

/** Returns the address of a broken connection, for an error message; from now on the others are tried before it. */
function blame(peer: Peer, socket: object | null): string {
  const url = (socket === null ? undefined : peer.calledAt.get(socket)) ?? peer.lastGood ?? peer.urls[0] ?? '';
  if (peer.failed.size >= peer.urls.length) peer.failed.clear();
  peer.failed.add(url);
  if (peer.lastGood === url) peer.lastGood = undefined;
  return describePeerUrl(url);
}
