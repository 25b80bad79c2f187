/**
 * The Bus port on the simulated broker. As the real adapter does, it connects, notices dead connections, reconnects
 * with a growing back-off, and publishes its retained messages again at each connect.
 */
import { BehaviorSubject, NEVER, Subject } from 'rxjs';
import {
  BusOffline,
  type Bus,
  type BusLink,
  type BusMessage,
  type BusPublish,
  type BusWill,
  type SubscribeOptions,
} from '../../bus/bus.js';
import type { MachinePower } from './machine-power.js';
import { BROKER_PLACE, type Network } from './network.js';
import type { BrokerClientSide, SimClient } from './sim-broker.js';

/** Dependencies of a simulated bus. */
export interface SimBusDeps {
  readonly host: MachinePower;
  readonly boot: number;
  readonly broker: BrokerClientSide;
  readonly network: Network;
  readonly clientId: string;
  readonly will: BusWill | undefined;
}

/** Client and broker both drop a connection that carried nothing for this time, ms. */
const KEEPALIVE_MS = 6000;
const BACKOFF_MS_MIN = 500;
const BACKOFF_MS_MAX = 2500;

/** Creates the bus of one boot of a node. */
export function createSimBus(deps: SimBusDeps): Bus {
  const { host, boot, broker, network } = deps;
  const link$ = new BehaviorSubject<BusLink>({ state: 'offline', reason: 'not connected yet' });
  const messages$ = new Subject<BusMessage>();
  const filters = new Map<string, SubscribeOptions | undefined>();
  const retained = new Map<string, BusPublish>();
  let started = false;
  let closed = false;
  let backoff = BACKOFF_MS_MIN;
  let client: SimClient | undefined;

  function dial(): void {
    if (closed) return;
    const fresh: SimClient = {
      clientId: deps.clientId,
      place: host.id,
      will: deps.will,
      deliver: (message) => host.enter(boot, () => client === fresh && messages$.next(message)),
      drop: (reason) => host.enter(boot, () => client === fresh && lose(reason)),
    };
    client = fresh;
    host.after(boot, network.delay() + network.delay(), () => {
      if (client !== fresh) return;
      if (broker.connect(fresh)) open(fresh);
      else lose('connection refused');
    });
  }

  function open(fresh: SimClient): void {
    backoff = BACKOFF_MS_MIN;
    for (const [filter, options] of filters) broker.subscribe(fresh, [filter], options);
    for (const message of retained.values()) broker.publish(fresh, message);
    watch(fresh, 0);
    link$.next({ state: 'online' });
  }

  /** Both ends ping, and drop the connection when nothing came back for {@link KEEPALIVE_MS}. */
  function watch(fresh: SimClient, silentMs: number): void {
    const stepMs = KEEPALIVE_MS / 4;
    host.after(boot, stepMs, () => {
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
    host.after(boot, backoff, dial);
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
    subscribe: (wanted, options) => {
      for (const filter of wanted) filters.set(filter, options);
      if (client !== undefined && broker.isConnected(client)) broker.subscribe(client, wanted, options);
    },
    publish: (message, done) => {
      if (message.retain) {
        if (message.payload === '') retained.delete(message.topic);
        else retained.set(message.topic, message);
      }
      const from = client;
      if (from === undefined || link$.value.state !== 'online') {
        if (done !== undefined) host.after(boot, 0, () => done(new BusOffline('offline')));
        return;
      }
      const taken = broker.publish(from, message);
      // A message into a cut is not refused: `done` is not called, and the connection is dropped later.
      if (taken && done !== undefined) host.after(boot, network.delay(), () => done());
    },
    forget: (topic) => {
      retained.delete(topic);
    },
    close: (done) => {
      closed = true;
      if (client !== undefined) {
        if (deps.will !== undefined) broker.publish(client, { ...deps.will, qos: 1, retain: true });
        broker.leave(client);
      }
      client = undefined;
      host.after(boot, 0, done);
    },
  };
}
