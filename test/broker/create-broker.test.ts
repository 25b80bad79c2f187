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
import { createMqttBus, type MqttBusOptions } from '../../src/bus/mqtt-bus.js';
import { closeBus, say, untilLink } from '../bus/link.js';

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
    const broker = await createBroker({
      base: 'tritmesh',
      port: 0,
      onEvent: (event) => void events.push(event),
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

  it('replays retained messages after a restart, the last of each topic, and none that was cleared', async () => {
    const stateDir = join(dir, 'state');
    const broker = await start({ stateDir });
    const alpha = await connect(broker);
    const states = Array.from({ length: 100 }, (_, index) =>
      say(alpha, { topic: 'tritmesh/node/alpha/state', payload: String(index), qos: 1, retain: true }),
    );
    await Promise.all(states);
    await say(alpha, { topic: 'tritmesh/node/alpha/scum', payload: 'x', qos: 1, retain: true });
    await say(alpha, { topic: 'tritmesh/node/alpha/scum', payload: '', qos: 1, retain: true });
    await closeBus(alpha);
    await broker.close();

    const again = await start({ stateDir });
    const beta = createMqttBus({ url: again.url, clientId: 'beta' });
    cleanups.push(() => closeBus(beta));
    beta.subscribe(['tritmesh/node/alpha/#']);
    const heard = hear(beta, 2);
    beta.connect();
    await untilLink(beta, { state: 'online' });
    await say(beta, { topic: 'tritmesh/node/alpha/request/end', payload: '', qos: 1, retain: false });
    const seen = (await heard).map(({ topic, payload, retained }) => [
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
  ])('drops no retained message because others are said right after it, %s', async (_title, hasDir) => {
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

  it('keeps nothing without a directory', async () => {
    const broker = await start();
    const alpha = await connect(broker);
    await say(alpha, { topic: 'tritmesh/node/alpha/state', payload: '1', qos: 1, retain: true });
    await closeBus(alpha);
    await broker.close();
    const again = await start({ port: broker.port });
    const beta = await connect(again, { clientId: 'beta' });
    const heard = hear(beta, 1);
    beta.subscribe(['tritmesh/#']);
    await say(beta, { topic: 'tritmesh/node/beta/event', payload: 'end', qos: 1, retain: false });
    expect((await heard).map(({ topic }) => topic)).toEqual(['tritmesh/node/beta/event']);
  });

  it('refuses to be open to the network without passwords', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.test']) {
      await expect(createBroker({ base: 'tritmesh', host, port: 0 })).rejects.toThrow(BrokerUnsafe);
    }
  });

  it('is open to the network with passwords, and admits nobody without one', async () => {
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

  it('does not start on a password file that is not there', async () => {
    await expect(start({ passwordFile: join(dir, 'none') })).rejects.toThrow('ENOENT');
  });

  it('refuses a client whose will another user should say', async () => {
    const passwordFile = join(dir, 'passwords');
    await addUser(passwordFile, 'alpha', 'secret');
    const broker = await start({ passwordFile });
    const will = { topic: 'tritmesh/node/beta/availability', payload: 'offline' };
    const bus = createMqttBus({ url: broker.url, clientId: 'alpha', username: 'alpha', password: 'secret', will });
    cleanups.push(() => closeBus(bus));
    bus.connect();
    await untilLink(bus, { state: 'offline', reason: /refused/ });
    // The client may be told before the event is.
    await expect
      .poll(() => events.find(({ kind }) => kind === 'login-denied'))
      .toMatchObject({ reason: 'will: user alpha must not write availability topics of beta' });
  });

  it.each([
    [
      'a payload over its cap',
      'tritmesh/node/alpha/event',
      'x'.repeat(101),
      'payload of 101 bytes, at most 100 are taken',
    ],
    ['a topic of its own', '$SYS/broker/new/clients', 'beta', 'only topics below tritmesh/ are written here'],
    ['a topic of others', 'zigbee2mqtt/lamp/set', 'ON', 'only topics below tritmesh/ are written here'],
  ])('hangs up on a client that publishes %s, and says so', async (_title, topic, payload, reason) => {
    const broker = await start({ payloadBytesMax: 100 });
    const bus = await connect(broker);
    expect(await say(bus, { topic, payload, qos: 1, retain: false })).toBeInstanceOf(Error);
    expect(events).toContainEqual({ kind: 'publish-denied', client: 'alpha', topic, reason });
  });

  it('hangs up on a client that says more than one CONNECT needs before it is let in', async () => {
    const { port } = await start();
    const socket = connectTcp(port, '127.0.0.1');
    socket.on('error', () => {});
    // CONNECT with a remaining length of 256 MiB, of which a part comes.
    socket.write(Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(256 * 1024)]));
    // Not events.once, which takes the reset for a failure.
    await new Promise((resolve) => socket.on('close', resolve));
  });

  it('keeps no session for a client that asks for one, and says so', async () => {
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

  it('shares its directory with no other broker, and frees it when it stops', async () => {
    const stateDir = join(dir, 'state');
    const broker = await start({ stateDir });
    await expect(start({ stateDir })).rejects.toThrow(BrokerStateFault);
    await expect(start({ stateDir })).rejects.toThrow('another broker uses it');
    await broker.close();
    await start({ stateDir });
  });

  it('frees its directory when its port is taken', async () => {
    const stateDir = join(dir, 'state');
    const { port } = await start();
    await expect(start({ stateDir, port })).rejects.toThrow('EADDRINUSE');
    await start({ stateDir });
  });

  it('closes with clients connected, and says their wills into its store', async () => {
    const stateDir = join(dir, 'state');
    const broker = await start({ stateDir });
    await connect(broker, { will: { topic: 'tritmesh/node/alpha/availability', payload: 'offline' } });
    await broker.close();
    const again = await start({ stateDir });
    const beta = createMqttBus({ url: again.url, clientId: 'beta' });
    cleanups.push(() => closeBus(beta));
    beta.subscribe(['tritmesh/node/alpha/availability']);
    const heard = hear(beta, 1);
    beta.connect();
    expect(Buffer.from((await heard)[0]?.payload ?? []).toString()).toBe('offline');
  });
});

function hear(bus: Bus, count: number): Promise<readonly BusMessage[]> {
  return firstValueFrom(bus.messages$.pipe(take(count), toArray()));
}
