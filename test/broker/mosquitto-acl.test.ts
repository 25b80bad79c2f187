import { describe, expect, it } from 'vitest';
import { authorizePublish } from '../../broker/authorize.js';
import { createMqttBus } from '../../src/bus/mqtt/mqtt-bus.js';
import { closeBus, publishAndWait, untilLink } from '../support/link-wait.js';
import { hasMosquitto, startMosquitto } from '../support/mosquitto.js';

const TAILS = [
  ...[
    'availability',
    'trit',
    'state',
    'scum',
    'info',
    'event',
    'set/drain',
    'request/run',
    'response/run',
    'secret',
  ].flatMap((kind) => [`node/alpha/${kind}`, `node/beta/${kind}`]),
  ...['offer', 'ack', 'lease', 'status', 'secret'].flatMap((kind) => [`work/alpha/i1/${kind}`, `work/beta/i1/${kind}`]),
  ...['claim', 'progress', 'result', 'log', 'secret'].flatMap((kind) => [
    `work/alpha/i1/${kind}/alpha`,
    `work/beta/i1/${kind}/alpha`,
    `work/alpha/i1/${kind}/beta`,
    `work/beta/i1/${kind}/beta`,
  ]),
  'mesh/state',
  'mesh/secret',
];

describe.skipIf(!hasMosquitto())('the ACL for Mosquitto', () => {
  it('the ACL allows and denies the same as the embedded broker', async () => {
    const mosquitto = await startMosquitto({ users: { alpha: 'secret' } });
    const bus = createMqttBus({ url: mosquitto.url, clientId: 'alpha', username: 'alpha', password: 'secret' });
    try {
      bus.connect();
      await untilLink(bus, { state: 'online' });
      const user = { name: 'alpha', isOperator: false };
      const verdicts = TAILS.map(async (tail) => {
        const topic = `tritmesh/${tail}`;
        const error = await publishAndWait(bus, { topic, payload: 'x', qos: 1, retain: false });
        return { topic, isAllowed: error === undefined };
      });
      expect(await Promise.all(verdicts)).toEqual(
        TAILS.map((tail) => {
          const topic = `tritmesh/${tail}`;
          return { topic, isAllowed: authorizePublish('tritmesh', user, topic) === undefined };
        }),
      );
    } finally {
      await closeBus(bus);
      await mosquitto.close();
    }
  });
});
