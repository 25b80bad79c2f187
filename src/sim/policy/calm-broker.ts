/**
 * A broker without faults for meshes of many nodes: it encodes a payload once and delivers it in a few waves instead
 * of to each subscriber separately. It keeps the order of each publisher, retained messages and wills, and loses
 * nothing.
 */
import type { BusPublish } from '../../bus/bus.js';
import type { Network } from '../parts/network.js';
import { fits, type BrokerClientSide, type SimClient } from '../parts/sim-broker.js';
import type { Timeline } from '../parts/timeline.js';
import { createFilterTree, type FilterTree } from './filter-tree.js';

/** A broker without faults. */
export interface CalmBroker extends BrokerClientSide {
  onPublish(observe: (from: string, message: BusPublish) => void): void;
  /** Messages delivered to subscribers so far. */
  readonly delivered: number;
}

/** Subscribers of one wave receive a message at the same time; those of different waves do not. */
const WAVES = 8;

interface Session {
  readonly client: SimClient;
  readonly wave: number;
}

/** A message to deliver. */
interface Delivery {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retained: boolean;
}

/**
 * Creates a broker that is up. Messages for which `mayWait` returns true are delivered in batches every `gatherMs`,
 * node by node. With a thousand nodes this takes a fraction of the time, because the memory of a node is still cached
 * when its next message is delivered. 0 turns batches off.
 */
export function createCalmBroker(
  timeline: Timeline,
  network: Network,
  gatherMs = 0,
  mayWait: (message: BusPublish) => boolean = () => false,
): CalmBroker {
  /** By wave and group of subscribers: the batch to deliver. */
  const gathered = Array.from({ length: WAVES }, () => new Map<ReadonlySet<Session>, Delivery[]>());
  const sessions = new Map<string, Session>();
  const waves: FilterTree<Session>[] = Array.from({ length: WAVES }, () => createFilterTree<Session>());
  const retained = new Map<string, Uint8Array>();
  const observers: ((from: string, message: BusPublish) => void)[] = [];
  /** By publisher: when its last message reaches each wave, virtual ms. */
  const lastAt = new Map<string, number[]>();
  const encoder = new TextEncoder();
  let connected = 0;
  let delivered = 0;

  const isOpen = (session: Session): boolean => sessions.get(session.client.clientId) === session;

  function sessionOf(client: SimClient): Session | undefined {
    const session = sessions.get(client.clientId);
    return session?.client === client ? session : undefined;
  }

  function end(session: Session, reason: string, sayWill: boolean): void {
    sessions.delete(session.client.clientId);
    waves[session.wave]?.remove(session);
    session.client.drop(reason);
    const { will, clientId } = session.client;
    if (sayWill && will !== undefined) route(clientId, { ...will, qos: 1, retain: true });
  }

  function route(from: string, message: BusPublish): void {
    for (const observe of observers) observe(from, message);
    const payload = encoder.encode(message.payload);
    const waits = gatherMs > 0 && mayWait(message);
    if (message.retain) {
      if (message.payload === '') retained.delete(message.topic);
      else retained.set(message.topic, payload);
    }
    const arrivals = lastAt.get(from) ?? Array.from({ length: WAVES }, () => 0);
    lastAt.set(from, arrivals);
    for (const [wave, tree] of waves.entries()) {
      const subscribers = tree.find(message.topic);
      if (subscribers.length === 0) continue;
      if (waits) {
        for (const group of subscribers) gather(wave, group, { topic: message.topic, payload, retained: false });
        continue;
      }
      const at = Math.max(timeline.now() + network.delay() + network.delay(), (arrivals[wave] ?? 0) + 0.001);
      arrivals[wave] = at;
      timeline.after(at - timeline.now(), () =>
        handOut(subscribers, [{ topic: message.topic, payload, retained: false }]),
      );
    }
  }

  function gather(wave: number, group: ReadonlySet<Session>, parcel: Delivery): void {
    const groups = gathered[wave];
    const waiting = groups?.get(group);
    if (waiting !== undefined) {
      waiting.push(parcel);
      return;
    }
    groups?.set(group, [parcel]);
    timeline.after(gatherMs, () => {
      const parcels = groups?.get(group) ?? [];
      groups?.delete(group);
      handOut([group], parcels);
    });
  }

  function handOut(subscribers: readonly ReadonlySet<Session>[], parcels: readonly Delivery[]): void {
    for (const group of subscribers) {
      for (const session of group) {
        delivered += parcels.length;
        for (const parcel of parcels) session.client.deliver(parcel);
      }
    }
  }

  function subscribe(client: SimClient, filters: readonly string[]): void {
    const session = sessionOf(client);
    if (session === undefined) return;
    for (const filter of filters) waves[session.wave]?.add(filter, session);
    const stored = [...retained].filter(([topic]) => filters.some((filter) => fits(filter, topic)));
    timeline.after(network.delay(), () => {
      if (!isOpen(session)) return;
      for (const [topic, payload] of stored) {
        delivered += 1;
        client.deliver({ topic, payload, retained: true });
      }
    });
  }

  return {
    connect: (client) => {
      const older = sessions.get(client.clientId);
      if (older !== undefined) end(older, 'another client of this name connected', true);
      connected += 1;
      sessions.set(client.clientId, { client, wave: connected % WAVES });
      return true;
    },
    publish: (client, message) => {
      if (sessionOf(client) === undefined) return false;
      route(client.clientId, message);
      return true;
    },
    subscribe,
    isConnected: (client) => sessionOf(client) !== undefined,
    leave: (client) => {
      const session = sessionOf(client);
      if (session !== undefined) end(session, 'closed', false);
    },
    vanish: (client) => {
      const session = sessionOf(client);
      if (session !== undefined) end(session, 'the broker lost the connection', true);
    },
    vanishFrom: (place) => {
      for (const session of sessions.values()) {
        if (session.client.place === place) end(session, 'the broker lost the connection', true);
      }
    },
    onPublish: (observe) => {
      observers.push(observe);
    },
    get delivered() {
      return delivered;
    },
  };
}
