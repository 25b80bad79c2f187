/**
 * The node's one HTTPS listener for other nodes. Both sides present a certificate of their node's key, and only that
 * key counts (names and authorities do not). Each path prefix has its own handler. A request without a handler is
 * answered 404, the same as a request for something that belongs to another peer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { TLSSocket } from 'node:tls';
import type { TlsPair } from '../../identity/certificate.js';
import { formatPublicKey } from '../../identity/create-identity.js';
import { hasCode } from '../../os/errors.js';
import { closeServer, trackSockets } from '../../os/tracked-sockets.js';
import { formatPeerUrl } from '../../protocol/peer-address.js';
import { keepLastPort, readLastPort } from './last-port.js';
import { listAdvertised, listUrls } from './listen-addresses.js';

/** Where to listen, and timeouts in milliseconds. */
export interface PeerListenerOptions {
  readonly tls: TlsPair;
  /** Address to listen on: `::` (`0.0.0.0` where the system has no IPv6), `0.0.0.0`, `127.0.0.1` … */
  readonly listen: string;
  /** 0 means any free port, preferably the one used before the restart. */
  readonly port: number;
  /** File that stores that port; absolute path. */
  readonly lastPortFile?: string | undefined;
  /** Addresses to publish instead of the machine's own: `host`, `host:port` or `[v6]:port`. */
  readonly advertise: readonly string[];
  readonly idleMs?: number | undefined;
}

/** A request from a peer. */
export interface PeerRequest {
  /** Public key of the peer's certificate (43 characters of base64url); `undefined` if it is of another kind. */
  readonly peerKey: string | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Handles the requests whose path starts with a prefix. */
export type PeerHandler = (asked: PeerRequest) => void;

/** The node's HTTPS listener. */
export interface PeerListener {
  /** Opens the port. Rejects with the system's error. */
  start(): Promise<undefined>;
  /** Where peers reach this node: `https://host:port`, best first; empty before `start`. */
  urls(): readonly string[];
  /** Where this machine reaches itself; empty before `start`. */
  ownUrls(): readonly string[];
  /** Routes requests whose path starts with `prefix` (`/t/`) to `handler`; call it before `start`. */
  handle(prefix: string, handler: PeerHandler): void;
  close(done: () => void): void;
}

const IDLE_MS = 30_000;
const CONNECTIONS_MAX = 256;
/** How long a connection may take to say who it is, ms: until then it counts among the connections. */
const HANDSHAKE_MS = 10_000;
/**
 * How long an idle connection is kept, ms. It does not race with the client's timeout: node's agents honour the
 * server's `keep-alive` header and close a second early.
 */
const KEEP_ALIVE_MS = 60_000;

/**
 * How long a list of addresses is reused, ms. The addresses of a machine rarely change and take 0.1 ms to list, and
 * each message may ask for them.
 */
const URLS_MS = 1000;

/** Creates the listener; it opens nothing before `start`. */
export function createPeerListener(options: PeerListenerOptions): PeerListener {
  const handlers = new Map<string, PeerHandler>();
  const server = createTlsServer(options, handlers);
  const sockets = trackSockets(server);
  return {
    start: () => listen(server, options),
    urls: rememberFor(URLS_MS, () => listOwnUrls(server, options)),
    ownUrls: () => listSelf(server, options),
    handle: (prefix, handler) => void handlers.set(prefix, handler),
    close: (done) => closeServer(server, sockets, done),
  };
}

function createTlsServer(options: PeerListenerOptions, handlers: ReadonlyMap<string, PeerHandler>): Server {
  const server = createServer({
    ...options.tls,
    minVersion: 'TLSv1.3',
    requestCert: true,
    // Every certificate is self-signed here; each request is checked by its key.
    rejectUnauthorized: false,
    noDelay: true,
    handshakeTimeout: HANDSHAKE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  server.maxConnections = CONNECTIONS_MAX;
  // A large push takes long; `timeout` below cuts off a silent peer.
  server.requestTimeout = 0;
  server.timeout = (options.idleMs ?? IDLE_MS) * 4;
  server.on('request', (request, response) => dispatch(handlers, request, response));
  return server;
}

function dispatch(
  handlers: ReadonlyMap<string, PeerHandler>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const path = request.url ?? '';
  const found = [...handlers].find(([prefix]) => path.startsWith(prefix));
  if (found === undefined) return answerText(response, 404, 'there is no such share for this peer');
  found[1]({ peerKey: readPeerKey(request), request, response });
}

/** Ends a response with a sentence for people. */
export function answerText(response: ServerResponse, status: number, text: string): void {
  const bytes = Buffer.from(`${text}\n`);
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': bytes.length });
  response.end(bytes);
}

async function listen(server: Server, options: PeerListenerOptions): Promise<undefined> {
  try {
    await listenSomewhere(server, options.listen, options);
  } catch (error) {
    if (options.listen !== '::' || !hasCode(error, ...NO_IPV6)) throw error;
    await listenSomewhere(server, '0.0.0.0', options);
  }
  return undefined;
}

/** Error codes of a system without IPv6. */
const NO_IPV6: readonly string[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'];

async function listenSomewhere(
  server: Server,
  host: string,
  { port, lastPortFile }: PeerListenerOptions,
): Promise<void> {
  if (port !== 0 || lastPortFile === undefined) return listenOn(server, host, port);
  const last = readLastPort(lastPortFile);
  await (last === undefined
    ? listenOn(server, host, 0)
    : listenOn(server, host, last).catch(() => listenOn(server, host, 0)));
  const address = server.address();
  if (address !== null && typeof address === 'object') keepLastPort(lastPortFile, address.port);
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.removeListener('error', reject);
      // Later errors (no file descriptor for another connection) must not end the node.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function listOwnUrls(server: Server, options: PeerListenerOptions): readonly string[] {
  const address = server.address() as AddressInfo | null;
  if (address === null) return [];
  if (options.advertise.length > 0) return listAdvertised(options.advertise, address.port);
  // It may have fallen back to IPv4.
  const isAll = address.address === '::' || address.address === '0.0.0.0';
  return listUrls(isAll ? address.address : options.listen, address.port, networkInterfaces());
}

function listSelf(server: Server, { listen: host }: PeerListenerOptions): readonly string[] {
  const address = server.address() as AddressInfo | null;
  if (address === null) return [];
  return [formatPeerUrl(host === '::' || host === '0.0.0.0' ? '127.0.0.1' : host, address.port)];
}

/**
 * Caches the value of `read` for `keepMs`; an empty list is not cached. If `read` throws (listing interfaces takes a
 * file descriptor), the previous value stands.
 */
function rememberFor<T>(keepMs: number, read: () => readonly T[]): () => readonly T[] {
  let value: readonly T[] = [];
  let readAt = 0;
  return () => {
    if (value.length > 0 && performance.now() - readAt < keepMs) return value;
    try {
      value = read();
    } catch {
      return value;
    }
    readAt = performance.now();
    return value;
  };
}

function readPeerKey(request: IncomingMessage): string | undefined {
  if (!(request.socket instanceof TLSSocket)) return undefined;
  try {
    const certificate = request.socket.getPeerX509Certificate();
    return certificate === undefined ? undefined : formatPublicKey(certificate.publicKey);
  } catch {
    // A key of another kind or an unreadable certificate: not a peer.
    return undefined;
  }
}
