/**
 * The embedded broker: aedes with passwords, access rules and a store that survives restarts. It serves the base topic
 * of the mesh and nothing else. It speaks only MQTT 3.1.1, and without passwords it listens only on loopback addresses.
 */
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { Aedes } from 'aedes';
import { describeError } from '../src/os/errors.js';
import { MESSAGE_BYTES_MAX } from '../src/protocol/limits.js';
import { parseTopic } from '../src/protocol/topics.js';
import type { BrokerEvent } from './event.js';
import { createGuard } from './guard.js';
import { listenTcp, listenWebSocket, type Listener, type StreamHandler } from './listener.js';
import { createAuthenticator } from './password-file.js';
import { openRetainedStore, type RetainedStore } from './retained-store.js';

/** Options of the broker. */
export interface BrokerOptions {
  /** Base topic of the mesh. */
  readonly base: string;
  /** Address to listen on; 127.0.0.1 by default, and another only with a password file. */
  readonly host?: string | undefined;
  /** TCP port; 0 picks any free one. */
  readonly port: number;
  /** WebSocket port; 0 picks any free one. Without it there is no WebSocket listener. */
  readonly wsPort?: number | undefined;
  /** Directory for retained messages, used by this broker only; without it they are lost when it stops. */
  readonly stateDir?: string | undefined;
  /** Users and passwords (see passwords.ts); without it everyone on this machine may read and write below `base`. */
  readonly passwordFile?: string | undefined;
  /** Largest payload in bytes; a client that publishes a larger one is disconnected. */
  readonly payloadBytesMax?: number | undefined;
  readonly onEvent?: ((event: BrokerEvent) => void) | undefined;
}

/** A running broker. */
export interface RunningBroker {
  /** `mqtt://host:port` for clients on this machine. */
  readonly url: string;
  readonly port: number;
  /** `ws://host:port`, if WebSocket is enabled. */
  readonly wsUrl: string | undefined;
  readonly wsPort: number | undefined;
  /** Publishes the wills of all clients, disconnects them, and releases the ports and the store. */
  close(): Promise<void>;
}

/** The broker would be open to the network without passwords. */
export class BrokerUnsafe extends Error {
  override readonly name = 'BrokerUnsafe';
  readonly host: string;
  constructor(host: string) {
    super(`listening on ${host} needs a password file: anyone who can reach that address could move work on this mesh`);
    this.host = host;
  }
}

/**
 * Interval of aedes, ms. A client that was lost with an earlier run of the broker shows as offline within four of
 * these.
 */
const HEARTBEAT_MS = 15_000;

/**
 * Starts a broker.
 *
 * Rejects with BrokerUnsafe, PasswordFileFault, BrokerStateFault, or the system's error when a port is not available
 * (`code` EADDRINUSE, EACCES) or the password file cannot be read (ENOENT).
 */
export async function createBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { host = '127.0.0.1', onEvent = () => {}, passwordFile, stateDir } = options;
  const fault = (reason: string): void => onEvent({ kind: 'fault', reason });
  if (passwordFile === undefined && !isLoopback(host)) throw new BrokerUnsafe(host);
  const authenticator = passwordFile === undefined ? undefined : createAuthenticator(passwordFile);
  await authenticator?.check();
  const isUrgent = (topic: string): boolean => parseTopic(options.base, topic)?.kind === 'availability';
  const store = stateDir === undefined ? undefined : await openRetainedStore(stateDir, { isUrgent, onFault: fault });
  const aedes = await Aedes.createBroker({
    ...createGuard({
      base: options.base,
      authenticator,
      payloadBytesMax: options.payloadBytesMax ?? MESSAGE_BYTES_MAX,
      onEvent,
    }),
    heartbeatInterval: HEARTBEAT_MS,
    ...(store === undefined ? {} : { persistence: store.persistence }),
  });
  reportEvents(aedes, onEvent);
  const listeners: Listener[] = [];
  try {
    const handleStream = createStreamHandler(aedes);
    const tcp = await listenTcp(host, options.port, handleStream);
    listeners.push(tcp);
    const ws = options.wsPort === undefined ? undefined : await listenWebSocket(host, options.wsPort, handleStream);
    if (ws !== undefined) listeners.push(ws);
    return {
      url: `mqtt://${nameHost(host)}:${tcp.port}`,
      port: tcp.port,
      wsUrl: ws === undefined ? undefined : `ws://${nameHost(host)}:${ws.port}`,
      wsPort: ws?.port,
      close: () => closeAll(aedes, listeners, store),
    };
  } catch (error) {
    await closeAll(aedes, listeners, store);
    throw error;
  }
}

function createStreamHandler(aedes: Aedes): StreamHandler {
  return (stream: Duplex) => {
    const client = aedes.handle(stream);
    return { isAdmitted: () => client.connected };
  };
}

async function closeAll(aedes: Aedes, listeners: readonly Listener[], store: RetainedStore | undefined): Promise<void> {
  // aedes first: it publishes the wills of its clients while they are still connected.
  await new Promise<void>((resolve) => aedes.close(resolve));
  await Promise.all(listeners.map((listener) => listener.close()));
  await store?.close();
}

function reportEvents(aedes: Aedes, onEvent: (event: BrokerEvent) => void): void {
  aedes.on('clientReady', (client) => onEvent({ kind: 'connected', client: client.id }));
  aedes.on('clientDisconnect', (client) => onEvent({ kind: 'disconnected', client: client.id }));
  const reportFailure = (client: { readonly id: string | null }, error: Error): void =>
    onEvent({ kind: 'connection-failed', client: client.id ?? '', reason: error.message });
  aedes.on('clientError', reportFailure);
  aedes.on('connectionError', reportFailure);
  // aedes reports failures of its store here; without a listener they would end the process.
  (aedes as NodeJS.EventEmitter).on('error', (error: unknown) =>
    onEvent({ kind: 'fault', reason: describeError(error) }),
  );
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

/** The host to put in a URL for clients of a listening address on this machine. */
function nameHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIP(host) === 6 ? `[${host}]` : host;
}
