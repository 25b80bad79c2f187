/**
 * A node and hostile bytes, a broker that is down or refuses it, and another node under its id.
 */
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBroker } from '../../broker/create-broker.js';
import { hasMosquitto, startMosquitto } from '../support/mosquitto.js';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import { allUp, fields, openScene, runProgram, type BusListener, type Scene } from '../support/programs.js';

const NONSENSE: readonly string[] = [
  '',
  'null',
  '{',
  '[]',
  '"online"',
  '{"v":1}',
  '{"v":2,"epoch":1}',
  '{"epoch":-1,"to":"beta"}',
  '\u0000\u0001',
  '{"__proto__":{"polluted":true}}',
  `{"item":"${'x'.repeat(5000)}"}`,
  '['.repeat(5000),
];

describe.each(BROKERS)('hostile bytes on $name', ({ isThere, open }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;

  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    ear = await scene.ear(['tritmesh/node/+/state', 'tritmesh/node/+/response/+']);
  });
  afterEach(async () => {
    await scene.end();
    await broker.close();
  });

  it('counts garbage on every topic and answers a ping afterwards', async () => {
    await scene.node('beta', 'fixed:0.1');
    await allUp(ear, ['beta']);
    for (const text of NONSENSE) {
      for (const tail of TOPICS) await ear.publish(`tritmesh/${tail}`, text);
    }
    await ear.publish('tritmesh/node/beta/request/ping', '{"transaction":"still-there"}');
    await ear.next((one) => one.text.includes('still-there'));
    await ear.publish('tritmesh/node/beta/request/refresh', '');
    const counted = await ear.next(
      (one) => one.topic === 'tritmesh/node/beta/state' && Number(fields(one)['rejected']) >= NONSENSE.length * 5,
    );
    expect(fields(counted)['draining']).toBe(false);
  });

  it('does not obey a retained command', async () => {
    await ear.publish('tritmesh/node/beta/set/drain', 'ON', true);
    await ear.publish('tritmesh/node/beta/request/drain', 'ON', true);
    await scene.node('beta', 'fixed:0.1');
    const state = await ear.next(
      (one) => one.topic === 'tritmesh/node/beta/state' && Number(fields(one)['rejected']) >= 2,
    );
    expect(fields(state)['draining']).toBe(false);
  });

  it('refuses an unsigned run and reports why', async () => {
    await scene.node('beta', 'fixed:0.1');
    await allUp(ear, ['beta']);
    const item = { item: 'i1', name: 'x', command: { argv: ['touch', '/tmp/never'] } };
    await ear.publish('tritmesh/node/beta/request/run', JSON.stringify({ item, transaction: 'evil' }));
    const response = await ear.next((one) => one.topic === 'tritmesh/node/beta/response/run');
    expect(fields(response)).toMatchObject({ status: 'error', transaction: 'evil' });
    expect(fields(response)['error']).toContain('must be signed');
  });

  it('refuses to start under an id with which another node is online', async () => {
    const first = await scene.node('beta', 'fixed:0.1');
    await allUp(ear, ['beta']);
    const rival = await scene.node('beta', 'fixed:0.5');
    while (!rival.output().includes('taken')) await new Promise((resolve) => setImmediate(resolve));
    expect(rival.output()).toContain('id "beta" is taken');
    expect(first.output()).not.toContain('not connected');
  });
});

const TOPICS: readonly string[] = [
  'node/ghost/availability',
  'node/ghost/info',
  'node/ghost/state',
  'node/beta/set/drain',
  'node/beta/request/migrate',
  'node/beta/request/run',
  'node/beta/request/nonsense',
  'work/ghost/i1/offer',
  'work/ghost/i1/ack',
  'work/ghost/i1/lease',
  'work/beta/i1/claim/ghost',
  'work/beta/i1/progress/ghost',
  'work/beta/i1/result/ghost',
];

describe('a missing broker', () => {
  it('is reported once, and used when it appears', async () => {
    const first = await createBroker({ base: 'tritmesh', port: 0 });
    const { port, url } = first;
    await first.close();
    const scene = openScene(url);
    const node = await scene.node('beta', 'fixed:0.1');
    while (!node.output().includes('not connected')) await new Promise((resolve) => setImmediate(resolve));
    const broker = await createBroker({ base: 'tritmesh', port });
    try {
      const ear = await scene.ear();
      await allUp(ear, ['beta']);
      expect(node.output().split('not connected to the broker').length - 1).toBe(1);
    } finally {
      await scene.end();
      await broker.close();
    }
  });

  it('makes a command fail with one sentence', async () => {
    const broker = await createBroker({ base: 'tritmesh', port: 0 });
    await broker.close();
    const scene = openScene(broker.url);
    const directory = await scene.directory();
    const main = new URL('../../dist/bin/tritmesh.js', import.meta.url).pathname;
    const ended = await runProgram(process.execPath, [
      main,
      'status',
      '--broker',
      broker.url,
      '--state-dir',
      directory,
    ]);
    expect(ended.code).toBe(1);
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
    expect(ended.stderr).toContain(String(broker.port));
    await scene.end();
  });
});

describe('a wrong password', () => {
  if (!hasMosquitto()) return it.skip('needs Mosquitto', () => undefined);

  it('is reported and tried again, and the node connects when it becomes right', async () => {
    const mosquitto = await startMosquitto({ users: { beta: 'right', ear: 'ear' } });
    const scene = openScene(mosquitto.url);
    try {
      const node = await scene.node('beta', 'fixed:0.1', { TRITMESH_USERNAME: 'beta', TRITMESH_PASSWORD: 'wrong' });
      while (!/refused the user name or password/.test(node.output()))
        await new Promise((resolve) => setImmediate(resolve));
      await mosquitto.setUsers({ beta: 'wrong', ear: 'ear' });
      while (!node.output().includes('"msg":"connected to the broker"')) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      await scene.end();
      await mosquitto.close();
    }
  });
});

describe('bytes that are not MQTT', () => {
  it('do not stop the embedded broker', async () => {
    const broker = await createBroker({ base: 'tritmesh', port: 0 });
    const socket = connect(broker.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\n\r\n');
    socket.on('error', () => undefined);
    await once(socket, 'close');
    const scene = openScene(broker.url);
    try {
      const ear = await scene.ear();
      await scene.node('beta', 'fixed:0.1');
      await allUp(ear, ['beta']);
    } finally {
      await scene.end();
      await broker.close();
    }
  });
});
