/**
 * The transfer over HTTPS: the receiver pulls, both sides present a certificate of their node's key, and that key is all
 * that counts (names and authorities do not). It serves nothing but what is shared, each share to its one peer.
 */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { TlsPair } from '../identity/certificate.js';
import { settle } from './ended.js';
import { fetchOrder, type FetchTools } from './fetch-order.js';
import { keepLastPort, readLastPort } from './last-port.js';
import { formatUrl, listUrls } from './listen-addresses.js';
import { createPeerClient } from './peer-client.js';
import { createShareServer, type ShareServer } from './share-server.js';
import type { Transfer } from './transfer.js';

/** Where to listen and how long to wait. Durations in milliseconds. */
export interface HttpsTransferOptions {
  readonly tls: TlsPair;
  /** Address to listen on: `0.0.0.0`, `::`, `127.0.0.1` … */
  readonly listen: string;
  /** 0 takes a free port: that of the last run, if it is still free. */
  readonly port: number;
  /** Where that port is kept; absolute path. */
  readonly lastPortFile?: string | undefined;
  /** Host that peers reach this node at, when the machine's own addresses are not it. */
  readonly advertise?: string | undefined;
  readonly retryDelaysMs?: readonly number[] | undefined;
  readonly connectMs?: number | undefined;
  readonly idleMs?: number | undefined;
}

const RETRY_DELAYS_MS: readonly number[] = [0, 250, 500, 1000, 2000, 4000];
const CONNECT_MS = 5000;
const IDLE_MS = 30_000;
const CONNECTIONS_MAX = 256;
/** Longer than the clients keep theirs would be a race; node's agents take the server's word and leave a second early. */
const KEEP_ALIVE_MS = 60_000;

/** The addresses of a machine change seldom and cost a tenth of a millisecond to list; each message may ask for them. */
const URLS_MS = 1000;

/** Makes the HTTPS transfer; it opens nothing before `start`. After `close` no callback of a fetch comes any more. */
export function createHttpsTransfer(options: HttpsTransferOptions): Transfer {
  const shares = createShareServer();
  const server = createListener(options, shares);
  const idleMs = options.idleMs ?? IDLE_MS;
  const client = createPeerClient({ tls: options.tls, connectMs: options.connectMs ?? CONNECT_MS, idleMs });
  const retryDelaysMs = options.retryDelaysMs ?? RETRY_DELAYS_MS;
  const tools: FetchTools = { client, retryDelaysMs, preferred: new Map<string, string>() };
  const fetches = new Set<AbortController>();

  return {
    name: 'https',
    start: (done) => settle(listen(server, options), done),
    urls: rememberFor(URLS_MS, () => listOwnUrls(server, options)),
    share: (share) => shares.share(share),
    unshare: (share) => shares.unshare(share),
    fetch: (order, done) => {
      const abandoned = new AbortController();
      fetches.add(abandoned);
      settle(fetchOrder(order, tools, abandoned.signal), (ended) => {
        fetches.delete(abandoned);
        if (!abandoned.signal.aborted) done(ended);
      });
      return () => abandoned.abort();
    },
    close: (done) => {
      for (const abandoned of fetches) abandoned.abort();
      client.close();
      closeServer(server, done);
    },
  };
}

function createListener(options: HttpsTransferOptions, shares: ShareServer): Server {
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
  server.timeout = (options.idleMs ?? IDLE_MS) * 4;
  server.on('request', (request, response) => shares.answer(request, response));
  return server;
}

async function listen(server: Server, { listen: host, port, lastPortFile }: HttpsTransferOptions): Promise<undefined> {
  if (port !== 0 || lastPortFile === undefined) return listenOn(server, host, port);
  const last = readLastPort(lastPortFile);
  await (last === undefined
    ? listenOn(server, host, 0)
    : listenOn(server, host, last).catch(() => listenOn(server, host, 0)));
  const address = server.address();
  if (address !== null && typeof address === 'object') keepLastPort(lastPortFile, address.port);
  return undefined;
}

function listenOn(server: Server, host: string, port: number): Promise<undefined> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.removeListener('error', reject);
      // What fails later (no descriptor for one more connection) must not end the node.
      server.on('error', () => undefined);
      resolve(undefined);
    });
  });
}

function listOwnUrls(server: Server, options: HttpsTransferOptions): readonly string[] {
  const address = server.address() as AddressInfo | null;
  if (address === null) return [];
  if (options.advertise !== undefined) return [formatUrl(options.advertise, address.port)];
  return listUrls(options.listen, address.port, networkInterfaces());
}

/** The value of `read`, which is asked again when the last answer is older than `keepMs`; an empty list is not kept. */
function rememberFor<T>(keepMs: number, read: () => readonly T[]): () => readonly T[] {
  let value: readonly T[] = [];
  let readAt = 0;
  return () => {
    if (value.length > 0 && performance.now() - readAt < keepMs) return value;
    value = read();
    readAt = performance.now();
    return value;
  };
}

function closeServer(server: Server, done: () => void): void {
  // A server that never listened calls back too, with an error that says just that.
  server.close(() => done());
  server.closeAllConnections();
}
