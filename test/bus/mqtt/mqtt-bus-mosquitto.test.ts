import { describe, expect, it } from 'vitest';
import { PublishRefused } from '../../../src/bus/bus.js';
import { createMqttBus } from '../../../src/bus/mqtt/mqtt-bus.js';
import { describeBus } from '../../conformance/bus.js';
import { hasMosquitto, startMosquitto } from '../../support/mosquitto.js';
import { createMqttHarness, USERS } from '../../support/mqtt-harness.js';
import { untilLink } from '../../support/link-wait.js';

const isThere = hasMosquitto();

describe.skipIf(!isThere)('with a real Mosquitto', () => {
  describeBus('the bus over MQTT 5 against Mosquitto', async () => {
    const mosquitto = await startMosquitto({ users: USERS });
    return createMqttHarness({
      knowsNoLocal: true,
      port: () => mosquitto.port,
      stop: () => mosquitto.stop(),
      start: (options) => mosquitto.start(options),
      setPassword: (user, password) => mosquitto.setUsers({ ...USERS, [user]: password }),
      close: () => mosquitto.close(),
    });
  });

  it('the bus reports a publish that the ACL denies, and stays online', async () => {
    const mosquitto = await startMosquitto({ users: USERS });
    const bus = createMqttBus({ url: mosquitto.url, clientId: 'alpha', username: 'alpha', password: 'secret' });
    const refused: unknown[] = [];
    bus.refused$.subscribe((one) => void refused.push(one));
    try {
      bus.connect();
      await untilLink(bus, { state: 'online' });
      const denied = await new Promise<Error | undefined>((resolve) =>
        bus.publish({ topic: 'tritmesh/node/beta/trit', payload: '1', qos: 1, retain: true }, resolve),
      );
      expect(denied).toBeInstanceOf(PublishRefused);
      expect(denied?.message).toMatch(/does not let user alpha write there \(Not authorized\)/);
      expect(refused).toEqual([{ topic: 'tritmesh/node/beta/trit', reason: denied?.message }]);
      const allowed = await new Promise<Error | undefined>((resolve) =>
        bus.publish({ topic: 'tritmesh/node/alpha/trit', payload: '1', qos: 1, retain: true }, resolve),
      );
      expect(allowed).toBeUndefined();
    } finally {
      await new Promise<void>((resolve) => bus.close(resolve));
      await mosquitto.close();
    }
  });
});
