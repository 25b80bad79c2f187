/**
 * A broker inside this process, for tests and for users of the library: subscriptions, retained messages, wills and
 * take-over as MQTT has them. Everything it says goes through one scheduler, one after another in the order it came
 * about, so that a run can be repeated; it keeps no timer and opens no socket.
 */
import { asapScheduler, type SchedulerLike } from 'rxjs';
import type { BusMessage, BusPublish, BusWill } from './bus.js';
import { matchesFilter } from './topic-filter.js';

/** One client as the broker sees it. The broker calls these from its scheduler, never from within a call to itself. */
export interface MemoryClient {
  readonly clientId: string;
  readonly will: BusWill | undefined;
  /** The client is connected now. */
  admitted(): void;
  /** The client is not connected any more, or was not let in. */
  dismissed(reason: string): void;
  heard(message: BusMessage): void;
}

/** A broker in memory: the upper half is for clients, the lower half for whoever plays with its fate. */
export interface MemoryBroker {
  /** Asks to be let in; a client that is not, or that is thrown out, is let in as soon as that is possible. */
  join(client: MemoryClient): void;
  /** Leaves; without `graceful` the will is published. */
  leave(client: MemoryClient, graceful: boolean): void;
  /** Adds filters to a connected client and replays what is retained under them. */
  subscribe(client: MemoryClient, filters: readonly string[]): void;
  /** Takes a message of a connected client; false when it is not connected. */
  publish(client: MemoryClient, message: BusPublish): boolean;
  /** Runs a task after all that was said before. */
  schedule(task: () => void): void;

  /** Goes down without a word: no wills. */
  stop(): void;
  /** Comes up; `forgetful` brokers lost their retained messages. */
  start(options?: { readonly forgetful?: boolean }): void;
  /** Breaks the connection of a client; its will is published. It is let in again at once. */
  cut(clientId: string): void;
  /** Lets a client in no more, for this reason; `undefined` lets it in again. */
  refuse(clientId: string, reason: string | undefined): void;
}

/** What the memory broker takes. */
export interface MemoryBrokerOptions {
  /** Everything is said through it with delay 0; RxJS's asapScheduler (microtasks) by default. */
  readonly scheduler?: SchedulerLike;
}

interface Session {
  readonly client: MemoryClient;
  readonly filters: Set<string>;
}

/** Makes a broker that runs. */
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
      schedule(() => client.dismissed(reason));
      return;
    }
    waiting.delete(client);
    end(client.clientId, 'another client took over this client id', true);
    const session: Session = { client, filters: new Set() };
    sessions.set(client.clientId, session);
    schedule(() => {
      if (isLive(session)) client.admitted();
    });
  }

  function end(clientId: string, reason: string, hasWill: boolean): void {
    const session = sessions.get(clientId);
    if (session === undefined) return;
    sessions.delete(clientId);
    waiting.add(session.client);
    schedule(() => session.client.dismissed(reason));
    if (hasWill) sayWill(session.client);
  }

  function readmit(): void {
    for (const client of waiting) {
      const isFree = !sessions.has(client.clientId) && !refusals.has(client.clientId);
      if (isRunning && isFree) admit(client);
    }
  }

  function say(topic: string, payload: Uint8Array, retain: boolean): void {
    if (retain && payload.byteLength === 0) retained.delete(topic);
    else if (retain) retained.set(topic, payload);
    for (const session of sessions.values()) {
      const isWanted = [...session.filters].some((filter) => matchesFilter(filter, topic));
      if (isWanted) deliver(session, { topic, payload, retained: false });
    }
  }

  function sayWill({ will }: MemoryClient): void {
    if (will !== undefined) say(will.topic, encode(will.payload), true);
  }

  function deliver(session: Session, message: BusMessage): void {
    schedule(() => {
      if (isLive(session)) session.client.heard(message);
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
      if (!graceful) sayWill(client);
      readmit();
    },
    subscribe(client, filters) {
      const session = findSession(client);
      if (session === undefined) return;
      for (const filter of filters) {
        session.filters.add(filter);
        replay(session, filter);
      }
    },
    publish(client, message) {
      if (findSession(client) === undefined) return false;
      say(message.topic, encode(message.payload), message.retain);
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
