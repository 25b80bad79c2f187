/**
 * The embedded broker: aedes with passwords, rules and a store that survives a restart. It serves the mesh on its base
 * topic and nothing else. It speaks MQTT 3.1.1 only, and listens on the loopback unless there are passwords.
 */
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { Aedes } from 'aedes';
import { MESSAGE_BYTES_MAX } from '../src/protocol/limits.js';
import type { BrokerEvent } from './event.js';
import { createGuard } from './guard.js';
import { listenTcp, listenWebSocket, type Listener, type TakeStream } from './listener.js';
import { createDoor } from './password-file.js';
import { openRetainedStore, type RetainedStore } from './retained-store.js';

/** How the broker is set up. */
export interface BrokerOptions {
  /** Base topic of the mesh. */
  readonly base: string;
  /** Address to listen on; 127.0.0.1 by default, and another only with a password file. */
  readonly host?: string | undefined;
  /** TCP port; 0 takes any free one. */
  readonly port: number;
  /** WebSocket port; 0 takes any free one, without it there is none. */
  readonly wsPort?: number | undefined;
  /** Directory of the broker's own for retained messages; without it they are lost when it stops. */
  readonly stateDir?: string | undefined;
  /** Users and passwords (passwords.ts); without it everybody on this machine may read and write below `base`. */
  readonly passwordFile?: string | undefined;
  /** Bytes of the largest payload; a client that publishes more is disconnected. */
  readonly payloadBytesMax?: number | undefined;
  readonly onEvent?: ((event: BrokerEvent) => void) | undefined;
}

/** A broker that runs. */
export interface RunningBroker {
  /** `mqtt://host:port` for clients on this machine. */
  readonly url: string;
  readonly port: number;
  /** `ws://host:port`, where WebSocket was asked for. */
  readonly wsUrl: string | undefined;
  readonly wsPort: number | undefined;
  /** Publishes the wills of all clients, disconnects them, and frees ports and store. */
  close(): Promise<void>;
}

/** The broker would be open to the network with no passwords. */
export class BrokerUnsafe extends Error {
  override readonly name = 'BrokerUnsafe';
  readonly host: string;
  constructor(host: string) {
    super(
      `listening on ${host} needs a password file: everybody who reaches that address could move work on this mesh`,
    );
    this.host = host;
  }
}

/** A client that vanished with an earlier run of the broker is said to be offline within four of these: a minute. */
const HEARTBEAT_MS = 15_000;

/**
 * Starts a broker.
 *
 * Rejects with BrokerUnsafe, PasswordFileFault, BrokerStateFault, or the system's error when a port cannot be had
 * (`code` EADDRINUSE, EACCES) or the password file cannot be read (ENOENT).
 */
export async function createBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { host = '127.0.0.1', onEvent = () => {}, passwordFile, stateDir } = options;
  const fault = (reason: string): void => onEvent({ kind: 'fault', reason });
  if (passwordFile === undefined && !isLoopback(host)) throw new BrokerUnsafe(host);
  const door = passwordFile === undefined ? undefined : createDoor(passwordFile);
  await door?.check();
  const store = stateDir === undefined ? undefined : await openRetainedStore(stateDir, fault);
  const aedes = await Aedes.createBroker({
    ...createGuard({
      base: options.base,
      door,
      payloadBytesMax: options.payloadBytesMax ?? MESSAGE_BYTES_MAX,
      onEvent,
    }),
    heartbeatInterval: HEARTBEAT_MS,
    ...(store === undefined ? {} : { persistence: store.persistence }),
  });
  reportEvents(aedes, onEvent);
  const listeners: Listener[] = [];
  try {
    const take = createTaker(aedes);
    const tcp = await listenTcp(host, options.port, take);
    listeners.push(tcp);
    const ws = options.wsPort === undefined ? undefined : await listenWebSocket(host, options.wsPort, take);
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

function createTaker(aedes: Aedes): TakeStream {
  return (stream: Duplex) => {
    const client = aedes.handle(stream);
    return { isAdmitted: () => client.connected };
  };
}

async function closeAll(aedes: Aedes, listeners: readonly Listener[], store: RetainedStore | undefined): Promise<void> {
  // aedes first: it publishes the wills of its clients while it still knows them.
  await new Promise<void>((resolve) => aedes.close(resolve));
  await Promise.all(listeners.map((listener) => listener.close()));
  await store?.close();
}

function reportEvents(aedes: Aedes, onEvent: (event: BrokerEvent) => void): void {
  aedes.on('clientReady', (client) => onEvent({ kind: 'connected', client: client.id }));
  aedes.on('clientDisconnect', (client) => onEvent({ kind: 'disconnected', client: client.id }));
  const fail = (client: { readonly id: string | null }, error: Error): void =>
    onEvent({ kind: 'connection-failed', client: client.id ?? '', reason: error.message });
  aedes.on('clientError', fail);
  aedes.on('connectionError', fail);
  // aedes says here that its store failed; without a listener that would end the process.
  (aedes as NodeJS.EventEmitter).on('error', (error: unknown) =>
    onEvent({ kind: 'fault', reason: error instanceof Error ? error.message : String(error) }),
  );
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

/** The host of a URL that reaches an address one listens on. */
function nameHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIP(host) === 6 ? `[${host}]` : host;
}
