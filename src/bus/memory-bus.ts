/**
 * The bus in memory: one client of a memory broker. It keeps the promises of the port and has no timers: the broker
 * decides when it is connected again.
 */
import { NEVER, Subject } from 'rxjs';
import type { Bus, BusMessage, BusWill, SubscribeOptions } from './bus.js';
import { createLinkState } from './bus-link.js';
import type { MemoryBroker, MemoryClient } from './memory-broker.js';
import { findPublishFault } from './publish-check.js';
import { createRetainedCache } from './retained-cache.js';

/** Who connects to which broker. */
export interface MemoryBusOptions {
  readonly broker: MemoryBroker;
  readonly clientId: string;
  readonly will?: BusWill | undefined;
}

/**
 * Creates a bus that is not connected yet. `done` and `close` call back through the broker's scheduler, never from
 * within the call.
 */
export function createMemoryBus({ broker, clientId, will }: MemoryBusOptions): Bus {
  const link = createLinkState();
  const messages$ = new Subject<BusMessage>();
  const filters = new Map<string, SubscribeOptions | undefined>();
  const cache = createRetainedCache();
  let phase: 'new' | 'started' | 'closed' = 'new';

  const client: MemoryClient = {
    clientId,
    will,
    handleConnect() {
      for (const [filter, options] of filters) broker.subscribe(client, [filter], options);
      for (const message of cache.list()) {
        if (broker.publish(client, message)) cache.settle(message);
      }
      link.reportOnline();
    },
    handleDisconnect(reason) {
      if (phase === 'started') link.reportOffline(reason);
    },
    handleMessage: (message) => messages$.next(message),
  };

  return {
    link$: link.link$,
    messages$: messages$.asObservable(),
    // A broker in memory has no access list.
    refused$: NEVER,
    connect() {
      if (phase !== 'new') return;
      phase = 'started';
      broker.join(client);
    },
    forget: cache.forget,
    subscribe(wanted, options) {
      const added = wanted.filter((filter) => !filters.has(filter));
      for (const filter of added) filters.set(filter, options);
      if (link.isOnline()) broker.subscribe(client, added, options);
    },
    publish(message, done) {
      const fault = findPublishFault(message);
      if (fault === undefined) cache.remember(message);
      const isPublished = fault === undefined && link.isOnline() && broker.publish(client, message);
      if (isPublished) cache.settle(message);
      const error = isPublished ? undefined : (fault ?? link.describeOffline());
      broker.schedule(() => done?.(error));
    },
    close(done) {
      if (will !== undefined) broker.publish(client, { ...will, qos: 1, retain: true });
      phase = 'closed';
      broker.leave(client, true);
      link.reportOffline('closed');
      broker.schedule(done);
    },
  };
}
