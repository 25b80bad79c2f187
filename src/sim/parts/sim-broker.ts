/**
 * A broker that behaves as real ones do: it may lose a message to a slow subscriber after acknowledging it, sometimes
 * delivers QoS 1 messages twice, keeps the order of one publisher only, may forget retained messages at a restart,
 * publishes wills, and drops the older of two clients with one id.
 */
import type { BusMessage, BusPublish, BusWill, SubscribeOptions } from '../../bus/bus.js';
import { BROKER_PLACE, type Network } from './network.js';
import type { Random } from '../plan/random.js';
import type { Timeline } from './timeline.js';

/** A client as the broker sees it. */
export interface SimClient {
  readonly clientId: string;
  /** The machine it is on. */
  readonly place: string;
  readonly will: BusWill | undefined;
  /** A message arrived. */
  deliver(message: BusMessage): void;
  /** The connection broke. */
  drop(reason: string): void;
}

/** How unreliable the broker is; 0 is perfect. */
export interface BrokerFlaws {
  /** Share of messages that a subscriber gets twice (QoS 1 only). */
  readonly duplicates: number;
  /** Share of acknowledged messages that a subscriber never gets. */
  readonly losses: number;
  /** Most messages in flight to one subscriber; more are dropped. */
  readonly queueMax: number;
}

/** A simulated broker. */
export interface SimBroker {
  /** Connects a client; false if the broker is down or out of reach. */
  connect(client: SimClient): boolean;
  /** The client disconnected cleanly: its will is not published. */
  leave(client: SimClient): void;
  /** The client's connection broke: its will is published. */
  vanish(client: SimClient): void;
  /** The node on this machine died, and the system closed its sockets: its will is published. */
  vanishFrom(place: string): void;
  subscribe(client: SimClient, filters: readonly string[], options?: SubscribeOptions): void;
  /** Publishes a message; false if it did not reach the broker. */
  publish(client: SimClient, message: BusPublish): boolean;
  isConnected(client: SimClient): boolean;
  setFlaws(flaws: BrokerFlaws): void;
  /** Delays each message to the subscribers of a place by this much, ms. */
  slow(place: string, ms: number): void;
  /** Sends the messages of the last `sinceMs` to a place again, as a resumed session does. */
  redeliver(place: string, sinceMs: number): void;
  /** Since when the broker has been down, virtual ms; `undefined` while it is up. */
  downSince(): number | undefined;
  stop(): void;
  /** Starts it again; with `forgets`, the retained messages are lost. */
  start(forgets: boolean): void;
  /** The retained messages; `undefined` if the broker cannot be reached from this place. */
  peek(place: string): ReadonlyMap<string, string> | undefined;
  /** Adds an observer of every message that the broker accepts. */
  onPublish(observe: (from: string, message: BusPublish) => void): void;
}

/** The part of a broker that clients use. */
export type BrokerClientSide = Pick<
  SimBroker,
  'connect' | 'leave' | 'vanish' | 'vanishFrom' | 'subscribe' | 'publish' | 'isConnected'
>;

/** A message that was sent to a place. */
interface Sent {
  readonly at: number;
  readonly from: string;
  readonly message: BusPublish;
}

interface Session {
  readonly client: SimClient;
  /** Filters, and whether each leaves out what the client published itself. */
  readonly filters: Map<string, boolean>;
  /** By publisher: when its last message to this client arrives, virtual ms. */
  readonly lastAt: Map<string, number>;
  queued: number;
  open: boolean;
}

/** At least this many messages to a place can be delivered again. */
const REDELIVERABLE_MAX = 1000;

/** A perfect broker. */
export const NO_FLAWS: BrokerFlaws = { duplicates: 0, losses: 0, queueMax: 100_000 };

/** Creates a broker that is up. */
export function createSimBroker(timeline: Timeline, network: Network, random: Random): SimBroker {
  const sessions = new Map<string, Session>();
  const retained = new Map<string, string>();
  const observers: ((from: string, message: BusPublish) => void)[] = [];
  const slowness = new Map<string, number>();
  const sent = new Map<string, Sent[]>();
  let flaws = NO_FLAWS;
  let up = true;
  let wentAt = 0;
  // MQTT 5 or 3.1.1: only the former can leave out a client's own messages.
  const knowsNoLocal = random.split('version').chance(0.5);

  function sessionOf(client: SimClient): Session | undefined {
    const session = sessions.get(client.clientId);
    return session?.client === client ? session : undefined;
  }

  function connect(client: SimClient): boolean {
    if (!up || !network.passes(client.place, BROKER_PLACE) || !network.passes(BROKER_PLACE, client.place)) return false;
    const older = sessions.get(client.clientId);
    if (older !== undefined) end(older, 'another client of this name connected', true);
    sessions.set(client.clientId, { client, filters: new Map(), lastAt: new Map(), queued: 0, open: true });
    return true;
  }

  function end(session: Session, reason: string, sayWill: boolean): void {
    if (!session.open) return;
    session.open = false;
    if (sessions.get(session.client.clientId) === session) sessions.delete(session.client.clientId);
    session.client.drop(reason);
    const { will } = session.client;
    if (sayWill && will !== undefined) route(session.client.clientId, { ...will, qos: 1, retain: true });
  }

  function publish(client: SimClient, message: BusPublish): boolean {
    const session = sessionOf(client);
    if (!up || session === undefined || !network.passes(client.place, BROKER_PLACE)) return false;
    route(client.clientId, message);
    return true;
  }

  function route(from: string, message: BusPublish): void {
    for (const observe of observers) observe(from, message);
    if (message.retain) {
      if (message.payload === '') retained.delete(message.topic);
      else retained.set(message.topic, message.payload);
    }
    for (const session of sessions.values()) {
      if (!isWanted(session, from, message.topic)) continue;
      if (session.queued >= flaws.queueMax || random.chance(flaws.losses)) continue;
      send(session, from, message, false);
      if (message.qos === 1) remember(session.client.place, from, message);
      if (message.qos === 1 && random.chance(flaws.duplicates)) send(session, from, message, false);
    }
  }

  function isWanted(session: Session, from: string, topic: string): boolean {
    const isOwn = knowsNoLocal && session.client.clientId === from;
    return [...session.filters].some(([filter, noLocal]) => !(noLocal && isOwn) && fits(filter, topic));
  }

  function remember(place: string, from: string, message: BusPublish): void {
    const log = sent.get(place) ?? [];
    log.push({ at: timeline.now(), from, message });
    sent.set(place, log.length > 2 * REDELIVERABLE_MAX ? log.slice(-REDELIVERABLE_MAX) : log);
  }

  function redeliver(place: string, sinceMs: number): void {
    const since = timeline.now() - sinceMs;
    for (const session of sessions.values()) {
      if (session.client.place !== place) continue;
      for (const { at, from, message } of sent.get(place) ?? []) if (at >= since) send(session, from, message, false);
    }
  }

  /** One publisher's messages arrive in order; those of different publishers overtake each other. */
  function send(session: Session, from: string, message: BusPublish, isRetained: boolean): void {
    const { place } = session.client;
    const earliest = timeline.now() + network.delay() + network.delay() + (slowness.get(place) ?? 0);
    const at = Math.max(earliest, (session.lastAt.get(from) ?? 0) + 0.001);
    session.lastAt.set(from, at);
    session.queued += 1;
    timeline.after(at - timeline.now(), () => {
      session.queued -= 1;
      if (!session.open || !network.passes(BROKER_PLACE, place)) return;
      const payload = new TextEncoder().encode(message.payload);
      session.client.deliver({ topic: message.topic, payload, retained: isRetained });
    });
  }

  return {
    connect,
    publish,
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
    isConnected: (client) => sessionOf(client) !== undefined,
    subscribe: (client, filters, { noLocal = false } = {}) => {
      const session = sessionOf(client);
      if (session === undefined) return;
      for (const filter of filters) session.filters.set(filter, noLocal);
      for (const [topic, payload] of retained) {
        if (!filters.some((filter) => fits(filter, topic))) continue;
        send(session, topic, { topic, payload, qos: 1, retain: true }, true);
      }
    },
    setFlaws: (next) => {
      flaws = next;
    },
    slow: (place, ms) => {
      slowness.set(place, ms);
    },
    redeliver,
    downSince: () => (up ? undefined : wentAt),
    stop: () => {
      if (up) wentAt = timeline.now();
      up = false;
      // A broker that dies publishes no wills, and forgets its sessions.
      for (const session of sessions.values()) end(session, 'the broker went away', false);
    },
    start: (forgets) => {
      up = true;
      if (forgets) retained.clear();
    },
    peek: (place) =>
      up && network.passes(place, BROKER_PLACE) && network.passes(BROKER_PLACE, place) ? retained : undefined,
    onPublish: (observe) => {
      observers.push(observe);
    },
  };
}

/** Whether an MQTT filter matches a topic. */
export function fits(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [index, word] of wanted.entries()) {
    if (word === '#') return true;
    if (levels[index] === undefined || (word !== '+' && word !== levels[index])) return false;
  }
  return wanted.length === levels.length;
}
