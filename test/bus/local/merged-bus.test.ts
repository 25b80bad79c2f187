/** One bus over two routes: what is emitted once, which route is used, and what happens when one fails and returns. */
import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus, BusMessage } from '../../../src/bus/bus.js';
import { createMemoryBroker, type MemoryBroker } from '../../../src/bus/memory-broker.js';
import { createMemoryBus } from '../../../src/bus/memory-bus.js';
import { createMergedBus, type MergedBus } from '../../../src/bus/local/merged-bus.js';
import { closeBus, publishAndWait, untilLink } from '../../support/link-wait.js';

const RUN = 'tritmesh/node/alpha/request/run';
const LOG = 'tritmesh/work/alpha/i/log/alpha';

let broker: MemoryBroker;
let local: MemoryBroker;
let node: { readonly broker: Bus; readonly local: Bus };
let bus: MergedBus;
let heard: string[];

beforeEach(async () => {
  broker = createMemoryBroker();
  local = createMemoryBroker();
  node = { broker: await join(broker, 'node'), local: await join(local, 'node') };
  bus = merge(broker, local);
  heard = [];
  bus.messages$.subscribe((message) => heard.push(format(message)));
  bus.subscribe(['#']);
});
afterEach(() => closeBus(bus));

async function join(place: MemoryBroker, clientId: string): Promise<Bus> {
  const client = createMemoryBus({ broker: place, clientId });
  client.connect();
  await untilLink(client, { state: 'online' });
  return client;
}

function merge(one: MemoryBroker, other: MemoryBroker, brokerMs?: number): MergedBus {
  return createMergedBus({
    broker: createMemoryBus({ broker: one, clientId: 'cli' }),
    local: createMemoryBus({ broker: other, clientId: 'cli' }),
    isLocal: (topic) => topic.startsWith('tritmesh/node/alpha/request/'),
    brokerMs,
  });
}

function format({ topic, payload, retained }: BusMessage): string {
  return `${topic} ${Buffer.from(payload).toString()}${retained ? ' (retained)' : ''}`;
}

function stamped(seq: number): string {
  return `{"v":1,"text":"line","boot":7,"seq":${seq},"sig":"${'x'.repeat(86)}"}`;
}

/** Publishes as the node does, on both routes. */
async function publish(topic: string, payload: string): Promise<void> {
  const message = { topic, payload, qos: 1, retain: false } as const;
  await Promise.all([publishAndWait(node.broker, message), publishAndWait(node.local, message)]);
}

describe('a bus over two routes', () => {
  it('a message that arrives on both routes is emitted once and in order, whichever comes first', async () => {
    bus.connect();
    await untilLink(bus, { state: 'online' });
    for (const seq of [1, 2, 3]) await publish(LOG, stamped(seq));
    await publishAndWait(node.local, { topic: LOG, payload: stamped(4), qos: 1, retain: false });
    await publishAndWait(node.broker, { topic: LOG, payload: stamped(4), qos: 1, retain: false });
    expect(heard).toEqual([1, 2, 3, 4].map((seq) => `${LOG} ${stamped(seq)}`));
  });

  it('a message without a number is emitted each time it arrives, and so are two equal requests', async () => {
    bus.connect();
    await untilLink(bus, { state: 'online' });
    const word = { topic: 'tritmesh/node/beta/availability', payload: 'online', qos: 1, retain: false } as const;
    await publishAndWait(node.broker, word);
    await publishAndWait(node.broker, word);
    const ask = { topic: 'tritmesh/node/beta/request/ping', payload: stamped(1), qos: 1, retain: false } as const;
    await publishAndWait(node.broker, ask);
    await publishAndWait(node.broker, ask);
    expect(heard).toHaveLength(4);
  });

  it('the bus is online once both routes were tried, and emits earlier messages only then', async () => {
    await publishAndWait(node.local, { topic: LOG, payload: stamped(1), qos: 1, retain: true });
    const order: string[] = [];
    bus.link$.subscribe((link) => order.push(link.state));
    bus.messages$.subscribe(() => order.push('message'));
    bus.connect();
    await untilLink(bus, { state: 'online' });
    await publishAndWait(node.local, { topic: LOG, payload: stamped(2), qos: 1, retain: false });
    expect(order).toEqual(['offline', 'online', 'message', 'message']);
  });

  it.each([
    ['the local route while the node is running', true, true, ['local']],
    ['the local route while the broker is away', false, true, ['local']],
    ['the broker while the node is away', true, false, ['broker']],
  ])('a request to the own node takes %s', async (_title, hasBroker, hasNode, expected) => {
    const came: string[] = [];
    for (const [route, client] of Object.entries(node)) {
      client.messages$.subscribe(({ topic }) => topic === RUN && came.push(route));
      client.subscribe([RUN]);
    }
    if (!hasBroker) broker.stop();
    if (!hasNode) local.stop();
    bus.connect();
    await untilLink(bus, { state: 'online' });
    expect(await publishAndWait(bus, { topic: RUN, payload: 'x', qos: 1, retain: false })).toBeUndefined();
    await firstValueFrom(bus.link$);
    expect(came).toEqual(expected);
  });

  it('a publish to another node fails while the broker is away', async () => {
    broker.stop();
    bus.connect();
    await untilLink(bus, { state: 'online' });
    const other = { topic: 'tritmesh/node/beta/request/ping', payload: '', qos: 1, retain: false } as const;
    expect((await publishAndWait(bus, other))?.name).toBe('BusOffline');
  });

  it('stays online when one route goes, loses nothing of the own node, and is offline when both are gone', async () => {
    bus.connect();
    await untilLink(bus, { state: 'online' });
    await publish(LOG, stamped(1));
    broker.stop();
    await publish(LOG, stamped(2));
    expect(await firstValueFrom(bus.link$)).toEqual({ state: 'online' });
    expect(await firstValueFrom(bus.routes$)).toMatchObject({
      broker: { state: 'offline' },
      local: { state: 'online' },
    });
    broker.start({ forgetful: true });
    await untilLink(node.broker, { state: 'online' });
    await publish(LOG, stamped(3));
    local.stop();
    await publish(LOG, stamped(4));
    expect(heard.map((line) => /"seq":(\d)/.exec(line)?.[1])).toEqual(['1', '2', '3', '4']);
    broker.stop();
    await untilLink(bus, { state: 'offline', reason: /./ });
  });

  it('the bus waits only briefly for a silent broker while the node is running', async () => {
    const silent = { ...createMemoryBroker(), join: () => undefined };
    const one = merge(silent, local, 20);
    one.connect();
    await untilLink(one, { state: 'online' });
    expect(await firstValueFrom(one.routes$)).toEqual({
      broker: { state: 'offline', reason: 'not connected yet' },
      local: { state: 'online' },
    });
    await closeBus(one);
  });
});
