import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { createBroker, type BrokerOptions, type RunningBroker } from '../../../broker/create-broker.js';
import type { BrokerEvent } from '../../../broker/event.js';
import { addUser } from '../../../broker/password-file.js';
import type { Bus, BusLink } from '../../../src/bus/bus.js';
import { createMqttBus, type MqttBusOptions } from '../../../src/bus/mqtt/mqtt-bus.js';
import { describeBus } from '../../conformance/bus.js';
import { requirement } from '../../support/requirements.js';
import { startFaultProxy } from '../../support/fault-proxy.js';
import { closeBus, publishAndWait, untilLink } from '../../support/link-wait.js';
import { createMqttHarness, USERS } from '../../support/mqtt-harness.js';

const hasOpenssl = requirement('openssl', spawnSync('openssl', ['version']).status === 0, 'apt-get install openssl');

describeBus('the bus over MQTT 3.1.1 against the embedded broker', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tritmesh-bus-'));
  const passwordFile = join(dir, 'passwords');
  const stateDir = join(dir, 'state');
  for (const [user, password] of Object.entries(USERS)) await addUser(passwordFile, user, password);
  let port = 0;
  const start = async (): Promise<RunningBroker> => {
    const started = await createBroker({ base: 'tritmesh', port, passwordFile, stateDir });
    port = started.port;
    return started;
  };
  let broker = await start();
  return createMqttHarness({
    knowsNoLocal: false,
    port: () => port,
    stop: () => broker.close(),
    async start({ forgetful }) {
      if (forgetful) await rm(stateDir, { recursive: true, force: true });
      broker = await start();
    },
    setPassword: (user, password) => addUser(passwordFile, user, password),
    async close() {
      await broker.close();
      await rm(dir, { recursive: true, force: true });
    },
  });
});

describe('the bus over MQTT and the embedded broker', () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });

  async function startBroker(options: Partial<BrokerOptions> = {}): Promise<RunningBroker & { events: BrokerEvent[] }> {
    const events: BrokerEvent[] = [];
    const broker = await createBroker({
      base: 'tritmesh',
      port: 0,
      onEvent: (event) => void events.push(event),
      ...options,
    });
    cleanups.push(() => broker.close());
    return { ...broker, events };
  }

  function makeBus(options: Partial<MqttBusOptions> & { readonly url: string }): Bus {
    const bus = createMqttBus({ clientId: 'alpha', backoff: { firstMs: 10, maxMs: 50 }, ...options });
    cleanups.push(() => closeBus(bus));
    return bus;
  }

  it('the bus tries MQTT 5 first, then 3.1.1 at once, and remembers which one worked', async () => {
    const broker = await startBroker();
    const proxy = await startFaultProxy(() => broker.port);
    cleanups.push(() => proxy.close());
    const links: BusLink[] = [];
    const bus = makeBus({ url: `mqtt://127.0.0.1:${proxy.port}` });
    bus.link$.subscribe((link) => void links.push(link));
    bus.connect();
    await untilLink(bus, { state: 'online' });
    expect(links).toEqual([{ state: 'offline', reason: 'not connected yet' }, { state: 'online' }]);
    proxy.closeNow();
    await untilLink(bus, { state: 'offline', reason: /closed|reset/ });
    await untilLink(bus, { state: 'online' });
    const refused = broker.events.filter(({ kind }) => kind === 'connection-failed');
    expect(refused.map((event) => ('reason' in event ? event.reason : ''))).toEqual(['unacceptable protocol version']);
  });

  it('a publish that the broker denies by hanging up is reported after the second time at the same topic', async () => {
    const broker = await startBroker();
    const bus = makeBus({ url: broker.url });
    // Nobody may write outside the base topic; being retained, it is published again at each connect.
    bus.publish({ topic: 'elsewhere/a', payload: '1', qos: 1, retain: true });
    const refused = firstValueFrom(bus.refused$);
    bus.connect();
    expect(await refused).toEqual({
      topic: 'elsewhere/a',
      reason: `the broker at ${broker.url} does not let a client without a user name write there (Not authorized)`,
    });
    await untilLink(bus, { state: 'offline', reason: /closed the connection after a publish to elsewhere\/a/ });
    expect(broker.events.filter(({ kind }) => kind === 'publish-denied').length).toBeGreaterThanOrEqual(2);
  });

  it('a broker that is down is reported once, however often it is tried, and the bus is online once it is up', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    taken.close();
    await once(taken, 'close');
    const delays: number[] = [];
    const bus = makeBus({
      url: `mqtt://someone:secret@127.0.0.1:${port}`,
      // Called once for each wait: the third call means that three attempts have failed.
      random: () => delays.push(1) / 1000,
    });
    const links: BusLink[] = [];
    bus.link$.subscribe((link) => void links.push(link));
    bus.connect();
    while (delays.length < 3) await new Promise((resolve) => setImmediate(resolve));
    expect(links).toEqual([
      { state: 'offline', reason: 'not connected yet' },
      { state: 'offline', reason: `connection refused at mqtt://127.0.0.1:${port}` },
    ]);
    await startBroker({ port });
    await untilLink(bus, { state: 'online' });
    expect(links).toHaveLength(3);
  });

  it('the bus speaks MQTT over WebSocket', async () => {
    const broker = await startBroker({ wsPort: 0 });
    const bus = makeBus({ url: broker.wsUrl ?? '' });
    bus.connect();
    await untilLink(bus, { state: 'online' });
    expect(
      await publishAndWait(bus, { topic: 'tritmesh/node/alpha/trit', payload: '1', qos: 1, retain: true }),
    ).toBeUndefined();
  });

  it('a denied publish, which ends the connection, fails, and the bus reconnects', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tritmesh-bus-'));
    cleanups.push(() => rm(dir, { recursive: true, force: true }));
    const passwordFile = join(dir, 'passwords');
    await addUser(passwordFile, 'alpha', 'secret');
    const broker = await startBroker({ passwordFile });
    const bus = makeBus({ url: broker.url, username: 'alpha', password: 'secret' });
    bus.connect();
    await untilLink(bus, { state: 'online' });
    const denied = await publishAndWait(bus, {
      topic: 'tritmesh/node/beta/event',
      payload: '1',
      qos: 1,
      retain: false,
    });
    expect(denied?.message).toMatch(/no answer before the connection ended/);
    await untilLink(bus, { state: 'online' });
    expect(broker.events).toContainEqual({
      kind: 'publish-denied',
      client: 'alpha',
      topic: 'tritmesh/node/beta/event',
      reason: 'user alpha must not write event topics of beta',
    });
  });

  it('the bus is offline with a reason while the broker refuses one of its filters', async () => {
    const broker = await startBroker();
    const bus = makeBus({ url: broker.url });
    bus.subscribe(['$share/group/tritmesh/#']);
    bus.connect();
    const link = await untilLink(bus, { state: 'offline', reason: /subscription/ });
    expect(link).toMatchObject({ reason: expect.stringContaining('the broker refused a subscription') });
    expect(broker.events.some(({ kind }) => kind === 'subscribe-denied')).toBe(true);
  });

  it('the bus gives up on a broker that accepts the connection and never answers', async () => {
    const silent = createServer((socket) => void socket.resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanups.push(async () => {
      silent.close();
      await once(silent, 'close');
    });
    const { port } = silent.address() as AddressInfo;
    const bus = makeBus({ url: `mqtt://127.0.0.1:${port}`, answerMs: 50 });
    bus.connect();
    await untilLink(bus, { state: 'offline', reason: new RegExp(`no answer from mqtt://127.0.0.1:${port}`) });
  });

  it.skipIf(!hasOpenssl)(
    'the bus trusts a TLS broker by its CA file, and reports one that it does not trust',
    async () => {
      const dir = await mkdtemp(join(tmpdir(), 'tritmesh-bus-'));
      cleanups.push(() => rm(dir, { recursive: true, force: true }));
      const { cert, key } = await makeCertificate(dir);
      const caFile = join(dir, 'cert.pem');
      const broker = await startBroker();
      const front = createTlsServer({ cert, key }, (secure) => {
        const inner = connectTcp(broker.port, '127.0.0.1');
        pipeline(secure, inner, secure, () => {});
      });
      front.on('tlsClientError', () => {});
      front.listen(0, '127.0.0.1');
      await once(front, 'listening');
      cleanups.push(async () => {
        front.close();
        await once(front, 'close');
      });
      const url = `mqtts://127.0.0.1:${(front.address() as AddressInfo).port}`;
      const wary = makeBus({ url });
      wary.connect();
      await untilLink(wary, { state: 'offline', reason: /^the certificate of mqtts:.* is not trusted/ });
      const lost = makeBus({ url, caFile: join(dir, 'none.pem') });
      lost.connect();
      await untilLink(lost, { state: 'offline', reason: /ENOENT/ });
      const trusting = makeBus({ url, caFile });
      trusting.connect();
      await untilLink(trusting, { state: 'online' });
    },
  );

  it('a URL with a scheme other than those of brokers is refused', () => {
    expect(() => createMqttBus({ url: 'http://127.0.0.1', clientId: 'alpha' })).toThrow(TypeError);
    expect(() => createMqttBus({ url: 'nonsense', clientId: 'alpha' })).toThrow(TypeError);
  });
});

async function makeCertificate(dir: string): Promise<{ readonly cert: string; readonly key: string }> {
  const [certFile, keyFile] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=broker under test', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...names, '-keyout', keyFile, '-out', certFile]);
  return { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
}
