/**
 * The node's one HTTPS listener for other nodes. Both sides present a certificate of their node's key, and that key is
 * all that counts (names and authorities do not). What is served under a path is up to the handler of that path; a
 * request that no handler takes is answered 404, as one is that asks for what belongs to another peer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { TLSSocket } from 'node:tls';
import type { TlsPair } from '../../identity/certificate.js';
import { formatPublicKey } from '../../identity/create-identity.js';
import { hasCode } from '../../os/errors.js';
import { formatPeerUrl } from '../../protocol/peer-address.js';
import { keepLastPort, readLastPort } from './last-port.js';
import { listAdvertised, listUrls } from './listen-addresses.js';

/** Where to listen and how long to wait. Durations in milliseconds. */
export interface PeerListenerOptions {
  readonly tls: TlsPair;
  /** Address to listen on: `::` (where the system has no IPv6, `0.0.0.0`), `0.0.0.0`, `127.0.0.1` … */
  readonly listen: string;
  /** 0 takes a free port: that of the last run, if it is still free. */
  readonly port: number;
  /** Where that port is kept; absolute path. */
  readonly lastPortFile?: string | undefined;
  /** Where peers reach this node, when the machine's own addresses are not it: `host`, `host:port` or `[v6]:port`. */
  readonly advertise: readonly string[];
  readonly idleMs?: number | undefined;
}

/** A request of a peer. */
export interface PeerRequest {
  /** Public key of the peer's certificate (43 characters of base64url); `undefined` for a key of another kind. */
  readonly peerKey: string | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Takes requests whose path begins with a prefix. */
export type PeerHandler = (asked: PeerRequest) => void;

/** The listener. */
export interface PeerListener {
  /** Opens the port. Rejects with what the system says. */
  start(): Promise<undefined>;
  /** Where peers reach this node: `https://host:port`, best first; none before `start`. */
  urls(): readonly string[];
  /** Where this machine reaches itself. */
  ownUrls(): readonly string[];
  /** Hands requests whose path begins with `prefix` (`/t/`) to `handler`; to be called before `start`. */
  handle(prefix: string, handler: PeerHandler): void;
  close(done: () => void): void;
}

const IDLE_MS = 30_000;
const CONNECTIONS_MAX = 256;
/**
 * Longer than the clients keep theirs would be a race; node's agents take the server's word and leave a second early.
 */
const KEEP_ALIVE_MS = 60_000;

/**
 * The addresses of a machine change seldom and cost a tenth of a millisecond to list; each message may ask for them.
 */
const URLS_MS = 1000;

/** Creates the listener; it opens nothing before `start`. */
export function createPeerListener(options: PeerListenerOptions): PeerListener {
  const handlers = new Map<string, PeerHandler>();
  const server = createTlsServer(options, handlers);
  return {
    start: () => listen(server, options),
    urls: rememberFor(URLS_MS, () => listOwnUrls(server, options)),
    ownUrls: () => listSelf(server, options),
    handle: (prefix, handler) => void handlers.set(prefix, handler),
    close: (done) => closeServer(server, done),
  };
}

function createTlsServer(options: PeerListenerOptions, handlers: ReadonlyMap<string, PeerHandler>): Server {
  const server = createServer({
    ...options.tls,
    minVersion: 'TLSv1.3',
    requestCert: true,
    // Every certificate is self-signed here; whose it is decides at each request.
    rejectUnauthorized: false,
    noDelay: true,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  server.maxConnections = CONNECTIONS_MAX;
  // A large push takes its time; who is silent is cut off by the next line.
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

/** What a system says that has no IPv6. */
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
      // What fails later (no descriptor for one more connection) must not end the node.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function listOwnUrls(server: Server, options: PeerListenerOptions): readonly string[] {
  const address = server.address() as AddressInfo | null;
  if (address === null) return [];
  if (options.advertise.length > 0) return listAdvertised(options.advertise, address.port);
  // It may have had to do without IPv6.
  const isAll = address.address === '::' || address.address === '0.0.0.0';
  return listUrls(isAll ? address.address : options.listen, address.port, networkInterfaces());
}

function listSelf(server: Server, { listen: host }: PeerListenerOptions): readonly string[] {
  const address = server.address() as AddressInfo | null;
  if (address === null) return [];
  return [formatPeerUrl(host === '::' || host === '0.0.0.0' ? '127.0.0.1' : host, address.port)];
}

/**
 * The value of `read`, which is asked again when the last answer is older than `keepMs`; an empty list is not kept.
 * Where it fails (asking for interfaces takes a descriptor, too) the last answer stands.
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

function closeServer(server: Server, done: () => void): void {
  // A server that never listened calls back too, with an error that says just that.
  server.close(() => done());
  server.closeAllConnections();
}

function readPeerKey(request: IncomingMessage): string | undefined {
  if (!(request.socket instanceof TLSSocket)) return undefined;
  try {
    const certificate = request.socket.getPeerX509Certificate();
    return certificate === undefined ? undefined : formatPublicKey(certificate.publicKey);
  } catch {
    // A key of another kind, or a certificate that cannot be read: nobody we know.
    return undefined;
  }
}
