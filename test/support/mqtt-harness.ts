/**
 * The harness of the bus suite for MQTT: each bus connects through its own proxy, whose connections can be broken, with
 * a back-off of milliseconds.
 */
import { createMqttBus } from '../../src/bus/mqtt/mqtt-bus.js';
import type { BusHarness } from '../conformance/bus.js';
import { startFaultProxy, type FaultProxy } from './fault-proxy.js';

/** What differs between brokers. */
export interface BrokerUnderTest {
  /** It speaks MQTT 5. */
  readonly knowsNoLocal: boolean;
  port(): number;
  stop(): Promise<void>;
  start(options: { readonly forgetful: boolean }): Promise<void>;
  setPassword(user: string, password: string): Promise<void>;
  close(): Promise<void>;
}

/** The users of the suite and their passwords. */
export const USERS: Readonly<Record<string, string>> = { alpha: 'secret', beta: 'secret', gamma: 'secret' };

/** Creates the harness for a running broker. */
export async function createMqttHarness(broker: BrokerUnderTest): Promise<BusHarness> {
  // Proxies are started first, since creating a bus is synchronous.
  const proxies = await Promise.all(Array.from({ length: 4 }, () => startFaultProxy(() => broker.port())));
  const proxiesOf = new Map<string, FaultProxy[]>();
  let used = 0;
  return {
    knowsNoLocal: broker.knowsNoLocal,
    createBus({ clientId, will }) {
      const proxy = proxies[used++];
      if (proxy === undefined) throw new Error('more buses than proxies');
      proxiesOf.set(clientId, [...(proxiesOf.get(clientId) ?? []), proxy]);
      return createMqttBus({
        url: `mqtt://127.0.0.1:${proxy.port}`,
        clientId,
        username: clientId,
        password: USERS[clientId],
        will,
        backoff: { firstMs: 10, maxMs: 100 },
      });
    },
    cut(clientId) {
      for (const proxy of proxiesOf.get(clientId) ?? []) proxy.closeNow();
    },
    stopBroker: () => broker.stop(),
    startBroker: (options) => broker.start(options),
    setAdmitted: (clientId, isAdmitted) =>
      broker.setPassword(clientId, isAdmitted ? (USERS[clientId] ?? '') : 'another'),
    async close() {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await broker.close();
    },
  };
}
