/** Which messages may wait, and how the broker delivers those that do. */
import { expect, it } from 'vitest';
import type { BusMessage, BusPublish } from '../../../src/bus/bus.js';
import { wireCodec } from '../../../src/protocol/codec.js';
import { createNetwork } from '../../../src/sim/parts/network.js';
import { createBackgroundFilter } from '../../../src/sim/policy/background.js';
import { createCalmBroker } from '../../../src/sim/policy/calm-broker.js';
import { createRandom } from '../../../src/sim/plan/random.js';
import { createTimeline } from '../../../src/sim/parts/timeline.js';

function say(topic: string, payload: object | string): BusPublish {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return { topic: `sim/${topic}`, payload: text, qos: 1, retain: false };
}

it('a state waits if its trit is unchanged, a birth or an availability if it was published before', () => {
  const mayWait = createBackgroundFilter(wireCodec);
  const said: readonly [BusPublish, boolean][] = [
    [say('node/a/state', { trit: 0, load_ratio: 0.4 }), false],
    [say('node/a/state', { trit: 0, load_ratio: 0.5 }), true],
    [say('node/b/state', { trit: 0 }), false],
    [say('node/a/state', { trit: 1 }), false],
    [say('node/a/state', { trit: 1 }), true],
    [say('node/a/info', { boot: 1 }), false],
    [say('node/a/info', { boot: 1 }), true],
    [say('node/a/info', { boot: 2 }), false],
    [say('node/a/availability', 'online'), false],
    [say('node/a/availability', 'online'), true],
    [say('node/a/availability', 'offline'), false],
    [say('work/a/j1/offer', {}), false],
    [say('work/a/j1/offer', {}), false],
  ];
  for (const [message, waits] of said) expect([message, mayWait(message)]).toEqual([message, waits]);
});

it('messages that wait are delivered in order, in one batch, at most the interval late; others at once', () => {
  const timeline = createTimeline();
  const broker = createCalmBroker(timeline, createNetwork(createRandom('x')), 200, ({ topic }) => topic === 'slow');
  const heard: string[] = [];
  const deliver = ({ topic, payload }: BusMessage): void => {
    heard.push(`${topic} ${new TextDecoder().decode(payload)} ${Math.floor(timeline.now() / 100)}`);
  };
  const client = { clientId: 'a', place: 'a', will: undefined, deliver, drop: () => undefined };
  broker.connect(client);
  broker.subscribe(client, ['#']);
  timeline.run(1000);
  const publish = (topic: string, payload: string): void =>
    void broker.publish(client, { topic, payload, qos: 1, retain: false });
  publish('slow', '1');
  publish('fast', '2');
  timeline.run(1150);
  publish('slow', '3');
  timeline.run(2000);
  expect(heard).toEqual(['fast 2 10', 'slow 1 12', 'slow 3 12']);
  expect(broker.delivered).toBe(3);
});
