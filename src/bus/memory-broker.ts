/**
 * A broker inside this process, for tests and for users of the library: subscriptions, retained messages, wills and
 * client take-over as in MQTT. All its callbacks go through one scheduler in the order they were caused, which makes
 * runs repeatable; it sets no timer and opens no socket.
 */
import { asapScheduler, type SchedulerLike } from 'rxjs';
import type { BusMessage, BusPublish, BusWill, SubscribeOptions } from './bus.js';
import { matchesFilter } from './topic-filter.js';

/** A client as the broker sees it. The broker calls these from its scheduler, never from within a call to itself. */
export interface MemoryClient {
  readonly clientId: string;
  readonly will: BusWill | undefined;
  /** The client is connected now. */
  handleConnect(): void;
  /** The client is no longer connected, or was refused. `reason` is a sentence for people. */
  handleDisconnect(reason: string): void;
  handleMessage(message: BusMessage): void;
}

/** A broker in memory: the upper half is for clients, the lower half injects faults. */
export interface MemoryBroker {
  /** Connects a client. One that is refused or disconnected is connected again as soon as that is possible. */
  join(client: MemoryClient): void;
  /** Disconnects a client; unless `graceful`, its will is published. */
  leave(client: MemoryClient, graceful: boolean): void;
  /** Adds filters to a connected client and replays the retained messages that match them. */
  subscribe(client: MemoryClient, filters: readonly string[], options?: SubscribeOptions): void;
  /** Publishes a message of a connected client; false when it is not connected. */
  publish(client: MemoryClient, message: BusPublish): boolean;
  /** Runs a task after everything that was scheduled before. */
  schedule(task: () => void): void;

  /** Goes down abruptly: no wills are published. */
  stop(): void;
  /** Comes back up; with `forgetful` its retained messages are lost. */
  start(options?: { readonly forgetful?: boolean }): void;
  /** Breaks the connection of a client and publishes its will. The client is connected again at once. */
  cut(clientId: string): void;
  /** Refuses a client from now on, with this reason; `undefined` admits it again. */
  refuse(clientId: string, reason: string | undefined): void;
}

/** Options of the memory broker. */
export interface MemoryBrokerOptions {
  /** Runs all callbacks, with delay 0; RxJS's asapScheduler (microtasks) by default. */
  readonly scheduler?: SchedulerLike;
}

interface Session {
  readonly client: MemoryClient;
  /** Filters, and whether each leaves out what the client published itself. */
  readonly filters: Map<string, boolean>;
}

/** Creates a broker that is running. */
export function createMemoryBroker(options: MemoryBrokerOptions = {}): MemoryBroker {
  const scheduler = options.scheduler ?? asapScheduler;
  const sessions = new Map<string, Session>();
  const retained = new Map<string, Uint8Array>();
  const refusals = new Map<string, string>();
  const waiting = new Set<MemoryClient>();
  let isRunning = true;

  const schedule = (task: () => void): void => void scheduler.schedule(task);

  function admit(client: MemoryClient): void {
    const reason = isRunning ? refusals.get(client.clientId) : 'the broker in memory is stopped';
    if (reason !== undefined) {
      waiting.add(client);
      schedule(() => client.handleDisconnect(reason));
      return;
    }
    waiting.delete(client);
    end(client.clientId, 'another client took over this client id', true);
    const session: Session = { client, filters: new Map() };
    sessions.set(client.clientId, session);
    schedule(() => {
      if (isLive(session)) client.handleConnect();
    });
  }

  function end(clientId: string, reason: string, hasWill: boolean): void {
    const session = sessions.get(clientId);
    if (session === undefined) return;
    sessions.delete(clientId);
    waiting.add(session.client);
    schedule(() => session.client.handleDisconnect(reason));
    if (hasWill) publishWill(session.client);
  }

  function readmit(): void {
    for (const client of waiting) {
      const isFree = !sessions.has(client.clientId) && !refusals.has(client.clientId);
      if (isRunning && isFree) admit(client);
    }
  }

  function distribute(from: MemoryClient, topic: string, payload: Uint8Array, retain: boolean): void {
    if (retain && payload.byteLength === 0) retained.delete(topic);
    else if (retain) retained.set(topic, payload);
    for (const session of sessions.values()) {
      const isOwn = session.client === from;
      const isWanted = [...session.filters].some(
        ([filter, noLocal]) => !(noLocal && isOwn) && matchesFilter(filter, topic),
      );
      if (isWanted) deliver(session, { topic, payload, retained: false });
    }
  }

  function publishWill(client: MemoryClient): void {
    const { will } = client;
    if (will !== undefined) distribute(client, will.topic, encode(will.payload), true);
  }

  function deliver(session: Session, message: BusMessage): void {
    schedule(() => {
      if (isLive(session)) session.client.handleMessage(message);
    });
  }

  function replay(session: Session, filter: string): void {
    for (const [topic, payload] of retained) {
      if (matchesFilter(filter, topic)) deliver(session, { topic, payload, retained: true });
    }
  }

  function findSession(client: MemoryClient): Session | undefined {
    const session = sessions.get(client.clientId);
    return session?.client === client ? session : undefined;
  }

  function isLive(session: Session): boolean {
    return sessions.get(session.client.clientId) === session;
  }

  return {
    schedule,
    join: admit,
    leave(client, graceful) {
      waiting.delete(client);
      if (findSession(client) === undefined) return;
      sessions.delete(client.clientId);
      if (!graceful) publishWill(client);
      readmit();
    },
    subscribe(client, filters, { noLocal = false } = {}) {
      const session = findSession(client);
      if (session === undefined) return;
      for (const filter of filters) {
        session.filters.set(filter, noLocal);
        replay(session, filter);
      }
    },
    publish(client, message) {
      if (findSession(client) === undefined) return false;
      distribute(client, message.topic, encode(message.payload), message.retain);
      return true;
    },
    stop() {
      isRunning = false;
      for (const clientId of sessions.keys()) end(clientId, 'the broker in memory is stopped', false);
    },
    start({ forgetful = false } = {}) {
      if (forgetful) retained.clear();
      isRunning = true;
      readmit();
    },
    cut(clientId) {
      end(clientId, 'the connection was cut', true);
      readmit();
    },
    refuse(clientId, reason) {
      if (reason === undefined) refusals.delete(clientId);
      else refusals.set(clientId, reason);
      if (reason !== undefined) end(clientId, reason, true);
      readmit();
    },
  };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
