/**
 * Connects to a peer, which is identified by the key of its certificate alone. A connection is handed out only after
 * that key was verified, so nothing is ever sent to a stranger.
 */
import type { OnReadOpts } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { TlsPair } from '../../identity/certificate.js';
import { formatPublicKey } from '../../identity/create-identity.js';
import { describeError, errorCode } from '../../os/errors.js';
import { describePeerUrl, parsePeerUrl } from '../../protocol/peer-address.js';
import { raceConnect, RACE_STEP_MS } from './race.js';

/** Timeout for one address, ms: enough for the third SYN when the first two were lost (Linux sends at 0, 1 and 3 s). */
const CONNECT_MS = 4000;
/** Faults reported for one peer; the rest are counted. */
const FAULTS_TOLD_MAX = 4;

/**
 * A peer that cannot be reached right now. `isRefusal`: it, or a stranger at its addresses, refused. `isUncalled`:
 * none of its addresses gave a connection to it.
 */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  readonly isRefusal: boolean;
  readonly isUncalled: boolean;

  constructor(message: string, facts: { isRefusal?: boolean; isUncalled?: boolean; cause?: unknown } = {}) {
    super(message, { cause: facts.cause });
    this.isRefusal = facts.isRefusal ?? false;
    this.isUncalled = facts.isUncalled ?? false;
  }
}

/** Which peer to connect to and with which certificate; `connectMs` is the timeout for one address, ms. */
export interface ConnectRequest {
  readonly tls: TlsPair;
  readonly peerKey: string;
  /** `https://host:port`, at least one, in the order to try. */
  readonly urls: readonly string[];
  readonly connectMs?: number | undefined;
  /** Receives what the connection brings in place of its stream. */
  readonly onread?: OnReadOpts | undefined;
}

/** The address is answered by a holder of another key. */
class Stranger extends Error {}

/** Connects to whichever address answers first with the right key. Fails with {@link Unreachable}. */
export function connectPeer(
  order: ConnectRequest,
  done: (error: Error | null, socket?: TLSSocket, url?: string) => void,
): void {
  raceConnect<TLSSocket>(
    order.urls,
    (url, told) => dialPinned(url, order, told),
    RACE_STEP_MS,
    (end) => (end.ok ? done(null, end.made, end.url) : done(describeFaults(end.faults))),
  );
}

function dialPinned(
  url: string,
  { tls, peerKey, connectMs = CONNECT_MS, onread }: ConnectRequest,
  done: (error: Error | null, socket?: TLSSocket) => void,
): () => void {
  const { host, port } = parsePeerUrl(url) ?? { host: '', port: 0 };
  // Both certificates are self-signed: the key is compared below, and TLS 1.3 proves that the peer holds it.
  const socket = connect({
    host,
    port,
    key: tls.key,
    cert: tls.cert,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: false,
    // While several addresses are tried, nothing arrives: a peer speaks only when it is asked.
    ...(onread === undefined ? {} : { onread }),
  });
  const timer = setTimeout(() => socket.destroy(new Error('no answer')), connectMs);
  const fail = (error: Error): void => {
    clearTimeout(timer);
    done(error);
  };
  socket.setNoDelay(true);
  socket.once('error', fail);
  socket.once('secureConnect', () => {
    clearTimeout(timer);
    socket.removeListener('error', fail);
    if (holdsKey(socket, peerKey)) return done(null, socket);
    socket.destroy();
    done(new Stranger('it holds another key than the one expected'));
  });
  return () => {
    clearTimeout(timer);
    socket.removeListener('error', fail);
    socket.on('error', () => undefined);
    socket.destroy();
  };
}

function holdsKey(socket: TLSSocket, peerKey: string): boolean {
  try {
    const certificate = socket.getPeerX509Certificate();
    return certificate !== undefined && formatPublicKey(certificate.publicKey) === peerKey;
  } catch {
    return false;
  }
}

type Faults = readonly { readonly url: string; readonly error: Error }[];

/** Describes each address and its failure in one sentence. */
function describeFaults(faults: Faults): Unreachable {
  const told = faults
    .slice(0, FAULTS_TOLD_MAX)
    .map(({ url, error }) => `${describePeerUrl(url)}: ${describeFault(error)}`);
  const rest = faults.length - told.length;
  return new Unreachable([...told, ...(rest > 0 ? [`and ${rest} more`] : [])].join('; '), {
    isUncalled: true,
    isRefusal: faults.every(({ error }) => error instanceof Stranger),
    cause: faults[0]?.error,
  });
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to this host',
  ENETUNREACH: 'no route to this network',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'its name cannot be resolved',
};

function describeFault(error: Error): string {
  return WORDS[errorCode(error) ?? ''] ?? describeError(error);
}
