/**
 * The Bus port on the simulated broker: connects, notices when the connection is dead, tries again with growing pauses, and
 * says retained topics anew at each connect, as the real adapter does.
 */
import { BehaviorSubject, NEVER, Subject } from 'rxjs';
import { BusOffline, type Bus, type BusLink, type BusMessage, type BusPublish, type BusWill } from '../bus/bus.js';
import type { Host } from './host.js';
import { BROKER_PLACE, type Network } from './network.js';
import type { BrokerDoor, SimClient } from './sim-broker.js';

/** What a simulated bus is made of. */
export interface SimBusParts {
  readonly host: Host;
  readonly life: number;
  readonly broker: BrokerDoor;
  readonly network: Network;
  readonly clientId: string;
  readonly will: BusWill | undefined;
}

/** A connection that carries nothing for this long is given up, ms; the broker gives it up at the same time. */
const KEEPALIVE_MS = 6000;
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 2500;

/** Makes a bus for one life of a program. */
export function createSimBus(parts: SimBusParts): Bus {
  const { host, life, broker, network } = parts;
  const link$ = new BehaviorSubject<BusLink>({ state: 'offline', reason: 'not connected yet' });
  const messages$ = new Subject<BusMessage>();
  const filters = new Set<string>();
  const retained = new Map<string, BusPublish>();
  let started = false;
  let closed = false;
  let backoff = BACKOFF_MS_MIN;
  let client: SimClient | undefined;

  function dial(): void {
    if (closed) return;
    const fresh: SimClient = {
      clientId: parts.clientId,
      place: host.id,
      will: parts.will,
      deliver: (message) => host.enter(life, () => client === fresh && messages$.next(message)),
      drop: (reason) => host.enter(life, () => client === fresh && lose(reason)),
    };
    client = fresh;
    host.after(life, network.delay() + network.delay(), () => {
      if (client !== fresh) return;
      if (broker.connect(fresh)) open(fresh);
      else lose('connection refused');
    });
  }

  function open(fresh: SimClient): void {
    backoff = BACKOFF_MS_MIN;
    broker.subscribe(fresh, [...filters]);
    for (const message of retained.values()) broker.publish(fresh, message);
    watch(fresh, 0);
    link$.next({ state: 'online' });
  }

  /** Both ends ping; what hears nothing for a while takes the connection for dead. */
  function watch(fresh: SimClient, silentMs: number): void {
    const stepMs = KEEPALIVE_MS / 4;
    host.after(life, stepMs, () => {
      if (client !== fresh || closed) return;
      const alive =
        network.passes(host.id, BROKER_PLACE) && network.passes(BROKER_PLACE, host.id) && broker.isConnected(fresh);
      if (alive) return watch(fresh, 0);
      if (silentMs + stepMs < KEEPALIVE_MS) return watch(fresh, silentMs + stepMs);
      broker.vanish(fresh);
      if (client === fresh) lose('no answer to a ping');
    });
  }

  function lose(reason: string): void {
    client = undefined;
    const before = link$.value;
    if (before.state === 'online' || before.reason !== reason) link$.next({ state: 'offline', reason });
    host.after(life, backoff, dial);
    backoff = Math.min(BACKOFF_MS_MAX, backoff * 2);
  }

  return {
    link$,
    messages$,
    refused$: NEVER,
    connect: () => {
      if (started) return;
      started = true;
      dial();
    },
    subscribe: (wanted) => {
      for (const filter of wanted) filters.add(filter);
      if (client !== undefined && broker.isConnected(client)) broker.subscribe(client, wanted);
    },
    publish: (message, done) => {
      if (message.retain) {
        if (message.payload === '') retained.delete(message.topic);
        else retained.set(message.topic, message);
      }
      const from = client;
      if (from === undefined || link$.value.state !== 'online') {
        if (done !== undefined) host.after(life, 0, () => done(new BusOffline('offline')));
        return;
      }
      const taken = broker.publish(from, message);
      // A message into a cut is not refused: nothing comes back, until the connection is given up.
      if (taken && done !== undefined) host.after(life, network.delay(), () => done());
    },
    forget: (topic) => {
      retained.delete(topic);
    },
    close: (done) => {
      closed = true;
      if (client !== undefined) {
        if (parts.will !== undefined) broker.publish(client, { ...parts.will, qos: 1, retain: true });
        broker.leave(client);
      }
      client = undefined;
      host.after(life, 0, done);
    },
  };
}
