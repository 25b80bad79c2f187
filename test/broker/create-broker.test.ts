import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectMqtt } from 'mqtt';
import { filter, firstValueFrom, take, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BrokerUnsafe, createBroker, type BrokerOptions, type RunningBroker } from '../../broker/create-broker.js';
import type { BrokerEvent } from '../../broker/event.js';
import { addUser } from '../../broker/password-file.js';
import { BrokerStateFault } from '../../broker/retained-store.js';
import type { Bus, BusMessage } from '../../src/bus/bus.js';
import { createMqttBus, type MqttBusOptions } from '../../src/bus/mqtt/mqtt-bus.js';
import { closeBus, publishAndWait, untilLink } from '../support/link-wait.js';

describe('the embedded broker', () => {
  let dir: string;
  let events: BrokerEvent[];
  const cleanups: (() => Promise<void>)[] = [];
  beforeEach(async () => {
    events = [];
    dir = await mkdtemp(join(tmpdir(), 'tritmesh-broker-'));
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
    await rm(dir, { recursive: true, force: true });
  });

  async function start(options: Partial<BrokerOptions> = {}): Promise<RunningBroker> {
    // A late event of an earlier test's broker must not end up in the list of this test.
    const list = events;
    const broker = await createBroker({
      base: 'tritmesh',
      port: 0,
      onEvent: (event) => void list.push(event),
      ...options,
    });
    cleanups.push(() => broker.close());
    return broker;
  }

  async function connect(broker: RunningBroker, options: Partial<MqttBusOptions> = {}): Promise<Bus> {
    const bus = createMqttBus({ url: broker.url, clientId: 'alpha', ...options });
    cleanups.push(() => closeBus(bus));
    bus.connect();
    await untilLink(bus, { state: 'online' });
    return bus;
  }

  it('the broker replays the last retained message of each topic after a restart, and none that was cleared', async () => {
    const stateDir = join(dir, 'state');
    const broker = await start({ stateDir });
    const alpha = await connect(broker);
    const states = Array.from({ length: 100 }, (_, index) =>
      publishAndWait(alpha, { topic: 'tritmesh/node/alpha/state', payload: String(index), qos: 1, retain: true }),
    );
    await Promise.all(states);
    await publishAndWait(alpha, { topic: 'tritmesh/node/alpha/scum', payload: 'x', qos: 1, retain: true });
    await publishAndWait(alpha, { topic: 'tritmesh/node/alpha/scum', payload: '', qos: 1, retain: true });
    await closeBus(alpha);
    await broker.close();

    const again = await start({ stateDir });
    const beta = createMqttBus({ url: again.url, clientId: 'beta' });
    cleanups.push(() => closeBus(beta));
    beta.subscribe(['tritmesh/node/alpha/#']);
    const received = collect(beta, 2);
    beta.connect();
    await untilLink(beta, { state: 'online' });
    await publishAndWait(beta, { topic: 'tritmesh/node/alpha/request/end', payload: '', qos: 1, retain: false });
    const seen = (await received).map(({ topic, payload, retained }) => [
      topic,
      Buffer.from(payload).toString(),
      retained,
    ]);
    expect(seen).toEqual([
      ['tritmesh/node/alpha/state', '99', true],
      ['tritmesh/node/alpha/request/end', '', false],
    ]);
  });

  it.each([
    ['with a directory', true],
    ['without a directory', false],
  ])('the broker drops no retained message that others follow closely, %s', async (_title, hasDir) => {
    const broker = await start(hasDir ? { stateDir: join(dir, 'state') } : {});
    const [alpha, beta] = [await connect(broker), await connect(broker, { clientId: 'beta' })];
    beta.subscribe(['tritmesh/#']);
    const kept = firstValueFrom(
      beta.messages$.pipe(
        filter(({ topic }) => topic.endsWith('/state')),
        take(200),
        toArray(),
      ),
    );
    for (let index = 0; index < 200; index += 1) {
      alpha.publish({ topic: 'tritmesh/node/alpha/state', payload: String(index), qos: 1, retain: true });
      alpha.publish({ topic: 'tritmesh/work/alpha/i1/lease', payload: 'x', qos: 1, retain: false });
      alpha.publish({ topic: 'tritmesh/node/alpha/event', payload: 'x', qos: 0, retain: false });
    }
    expect((await kept).map(({ payload }) => Number(Buffer.from(payload).toString()))).toEqual(
      Array.from({ length: 200 }, (_, index) => index),
    );
  });

  it('the broker keeps nothing without a directory', async () => {
    const broker = await start();
    const alpha = await connect(broker);
    await publishAndWait(alpha, { topic: 'tritmesh/node/alpha/state', payload: '1', qos: 1, retain: true });
    await closeBus(alpha);
    await broker.close();
    const again = await start({ port: broker.port });
    const beta = await connect(again, { clientId: 'beta' });
    const received = collect(beta, 1);
    beta.subscribe(['tritmesh/#']);
    await publishAndWait(beta, { topic: 'tritmesh/node/beta/event', payload: 'end', qos: 1, retain: false });
    expect((await received).map(({ topic }) => topic)).toEqual(['tritmesh/node/beta/event']);
  });

  it('the broker refuses to listen on the network without passwords', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.test']) {
      await expect(createBroker({ base: 'tritmesh', host, port: 0 })).rejects.toThrow(BrokerUnsafe);
    }
  });

  it('the broker listens on the network with passwords, and admits nobody without one', async () => {
    const passwordFile = join(dir, 'passwords');
    await addUser(passwordFile, 'alpha', 'secret');
    const broker = await start({ host: '0.0.0.0', passwordFile });
    for (const credentials of [{}, { username: 'alpha' }, { username: 'alpha', password: 'wrong' }]) {
      const bus = createMqttBus({ url: broker.url, clientId: 'alpha', ...credentials });
      cleanups.push(() => closeBus(bus));
      bus.connect();
      await untilLink(bus, { state: 'offline', reason: /refused the user name or password/ });
    }
    await connect(broker, { username: 'alpha', password: 'secret' });
    expect(events).toContainEqual({
      kind: 'login-denied',
      client: 'alpha',
      user: undefined,
      reason: 'wrong user name or password',
    });
  });

  it('the broker does not start with a missing password file', async () => {
    await expect(start({ passwordFile: join(dir, 'none') })).rejects.toThrow('ENOENT');
  });

  it('the broker refuses a client whose will is on a topic of another user', async () => {
    const passwordFile = join(dir, 'passwords');
    await addUser(passwordFile, 'alpha', 'secret');
    const broker = await start({ passwordFile });
    const will = { topic: 'tritmesh/node/beta/availability', payload: 'offline' };
    const bus = createMqttBus({ url: broker.url, clientId: 'alpha', username: 'alpha', password: 'secret', will });
    cleanups.push(() => closeBus(bus));
    bus.connect();
    await untilLink(bus, { state: 'offline', reason: /refused/ });
    // The client may be answered before the event is reported.
    await expect
      .poll(() => events.find(({ kind }) => kind === 'login-denied'))
      .toMatchObject({ reason: 'will: user alpha must not write availability topics of beta' });
  });

  it.each([
    [
      'a payload over the limit',
      'tritmesh/node/alpha/event',
      'x'.repeat(101),
      'payload of 101 bytes, at most 100 are accepted',
    ],
    ["the broker's own topic", '$SYS/broker/new/clients', 'beta', 'only topics below tritmesh/ may be written here'],
    ['a topic outside the mesh', 'zigbee2mqtt/lamp/set', 'ON', 'only topics below tritmesh/ may be written here'],
  ])('the broker disconnects a client that publishes %s, and reports it', async (_title, topic, payload, reason) => {
    const broker = await start({ payloadBytesMax: 100 });
    const bus = await connect(broker);
    expect(await publishAndWait(bus, { topic, payload, qos: 1, retain: false })).toBeInstanceOf(Error);
    expect(events).toContainEqual({ kind: 'publish-denied', client: 'alpha', topic, reason });
  });

  it('the broker disconnects a client that sends more than a CONNECT before it is admitted', async () => {
    const { port } = await start();
    const socket = connectTcp(port, '127.0.0.1');
    socket.on('error', () => {});
    // CONNECT with a remaining length of 256 MiB, of which only a part is sent.
    socket.write(Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(256 * 1024)]));
    // Not events.once, which rejects at the connection reset.
    await new Promise((resolve) => socket.on('close', resolve));
  });

  it('the broker keeps no session for a client that asks for one, and says so in CONNACK', async () => {
    const { url } = await start();
    const connect = async (): Promise<boolean> => {
      const client = connectMqtt(url, { clientId: 'keeper', clean: false });
      const hasSession = await new Promise<boolean>((resolve) =>
        client.once('connect', ({ sessionPresent }) => resolve(sessionPresent)),
      );
      await client.subscribeAsync('tritmesh/#', { qos: 1 });
      await client.endAsync();
      return hasSession;
    };
    expect([await connect(), await connect()]).toEqual([false, false]);
  });

  it('the broker shares its directory with no other broker, and releases it when it stops', async () => {
    const stateDir = join(dir, 'state');
    const broker = await start({ stateDir });
    await expect(start({ stateDir })).rejects.toThrow(BrokerStateFault);
    await expect(start({ stateDir })).rejects.toThrow('another broker uses it');
    await broker.close();
    await start({ stateDir });
  });

  it('the broker releases its directory when its port is taken', async () => {
    const stateDir = join(dir, 'state');
    const { port } = await start();
    await expect(start({ stateDir, port })).rejects.toThrow('EADDRINUSE');
    await start({ stateDir });
  });

  it('the broker closes with clients connected, and stores their wills', async () => {
    const stateDir = join(dir, 'state');
    const broker = await start({ stateDir });
    await connect(broker, { will: { topic: 'tritmesh/node/alpha/availability', payload: 'offline' } });
    await broker.close();
    const again = await start({ stateDir });
    const beta = createMqttBus({ url: again.url, clientId: 'beta' });
    cleanups.push(() => closeBus(beta));
    beta.subscribe(['tritmesh/node/alpha/availability']);
    const received = collect(beta, 1);
    beta.connect();
    expect(Buffer.from((await received)[0]?.payload ?? []).toString()).toBe('offline');
  });
});

function collect(bus: Bus, count: number): Promise<readonly BusMessage[]> {
  return firstValueFrom(bus.messages$.pipe(take(count), toArray()));
}
