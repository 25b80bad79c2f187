/**
 * The harness of the bus suite for MQTT: each bus dials through a proxy of its own, whose connections can be broken, and
 * backs off for milliseconds only.
 */
import { createMqttBus } from '../../src/bus/mqtt-bus.js';
import type { BusHarness } from '../conformance/bus.js';
import { startFaultProxy, type FaultProxy } from '../fault-proxy.js';

/** What differs between brokers. */
export interface BrokerUnderTest {
  port(): number;
  stop(): Promise<void>;
  start(options: { readonly forgetful: boolean }): Promise<void>;
  setPassword(user: string, password: string): Promise<void>;
  close(): Promise<void>;
}

/** The users of the suite, each with the password that its bus has. */
export const USERS: Readonly<Record<string, string>> = { alpha: 'secret', beta: 'secret', gamma: 'secret' };

/** Makes the harness around a broker that runs. */
export async function createMqttHarness(broker: BrokerUnderTest): Promise<BusHarness> {
  // Ports are taken before buses are made, since making a bus is not asynchronous.
  const proxies = await Promise.all(Array.from({ length: 4 }, () => startFaultProxy(() => broker.port())));
  const proxiesOf = new Map<string, FaultProxy[]>();
  let used = 0;
  return {
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
