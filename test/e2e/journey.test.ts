/**
 * The whole way of an item with the real programs: submitted at a PLUS node, run on the MINUS node, and returned; and
 * what a user sees of it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram, hasMosquitto, startMosquitto } from '../support/mosquitto.js';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';

describe.each(BROKERS)('three nodes on $name', ({ isThere, open }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;
  let alpha: NodeProcess;

  beforeAll(async () => {
    broker = await open();
    scene = openScene(broker.url);
    ear = await scene.ear();
    alpha = await scene.node('alpha', 'fixed:0.9');
    await scene.node('beta', 'fixed:0.1');
    await scene.node('gamma', 'fixed:0.5');
    await allUp(ear, ['alpha', 'beta', 'gamma']);
  });
  afterAll(async () => {
    await scene.end();
    await broker.close();
  });

  it('runs a command elsewhere and returns output, files and exit code', async () => {
    const home = await scene.directory();
    await mkdir(join(home, 'data'));
    await writeFile(join(home, 'data', 'words.txt'), 'one\ntwo\nthree\n');
    const ended = await scene.command(
      alpha,
      ['run', '--in', 'data', '--out', 'made/*.txt', '--', 'sh', '-c', WORK],
      home,
    );
    expect(ended.stderr).not.toContain('error');
    expect(ended.stdout).toBe('counted 3 on beta\n');
    expect(ended.code).toBe(7);
    expect(await readFile(join(home, 'made', 'count.txt'), 'utf8')).toBe('3\n');
  });

  it('publishes offer, claim, ack, progress, result and status in this order', async () => {
    const ended = await scene.command(alpha, ['run', '--json', '--', 'sleep', '1']);
    expect(ended.code).toBe(0);
    const [item] = [...new Set(ear.heard.map((one) => /work\/alpha\/([^/]+)\/result/.exec(one.topic)?.[1]))]
      .filter(Boolean)
      .slice(-1);
    await ear.next(isStatus(item ?? '', 'done'));
    const kinds = ear.heard
      .filter((one) => one.topic.startsWith(`tritmesh/work/alpha/${item}/`))
      .map((one) => one.topic.split('/')[4]);
    const order = ['offer', 'claim', 'ack', 'progress', 'result'].map((kind) => kinds.indexOf(kind));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(order[0]).toBeGreaterThanOrEqual(0);
    // The order to forget the result may follow.
    expect(kinds.lastIndexOf('status')).toBeGreaterThan(kinds.indexOf('result'));
  });

  it('shows why an item waits, node by node', async () => {
    const submitted = await scene.command(alpha, ['run', '--no-wait', '--json', '--arch', 'pdp11', '--', 'true']);
    expect(submitted.code).toBe(0);
    const status = await ear.next(
      (one) =>
        one.topic.endsWith('/status') &&
        one.text.includes('pdp11') &&
        (fields(one)['blocked'] as unknown[]).length === 3,
    );
    expect(fields(status)['phase']).toBe('queued');
    const items = await scene.command(alpha, ['items']);
    expect(items.stdout).toContain('pdp11');
    const item = status.topic.split('/')[3] ?? '';
    expect((await scene.command(alpha, ['cancel', item])).code).toBe(0);
    await ear.next(isStatus(item, 'cancelled'));
  });

  it('reports exit code 127 for a program that does not exist', async () => {
    const ended = await scene.command(alpha, ['run', '--', 'no-such-program-here']);
    expect(ended.code).toBe(127);
    expect(ended.stderr).toContain('no-such-program-here');
  });

  it('answers a plain ping with its transaction', async () => {
    await ear.publish('tritmesh/node/beta/request/ping', '{"transaction":"t-1"}');
    const response = await ear.next(
      (one) => one.topic === 'tritmesh/node/beta/response/ping' && one.text.includes('t-1'),
    );
    expect(fields(response)).toMatchObject({ status: 'ok', transaction: 't-1', data: { id: 'beta' } });
  });

  it('shows the mesh in status', async () => {
    const ended = await scene.command(alpha, ['status', '--json']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('"alpha"');
    expect(ended.stdout).toContain('"gamma"');
  });
});

const WORK =
  'mkdir made && wc -l < data/words.txt | tr -d " " > made/count.txt && echo "counted $(cat made/count.txt) on $TRITMESH_NODE" && exit 7';

describe('mosquitto_sub', () => {
  if (!hasMosquitto()) return it.skip('needs Mosquitto', () => undefined);

  it('sees an item pass in order', async () => {
    const mosquitto = await startMosquitto();
    const scene = openScene(mosquitto.url);
    const ear = await scene.ear();
    const sub = spawn(findProgram('mosquitto_sub') ?? '', [
      '-p',
      String(mosquitto.port),
      '-t',
      'tritmesh/work/#',
      '-v',
    ]);
    try {
      let text = '';
      sub.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      const alpha = await scene.node('alpha', 'fixed:0.9');
      await scene.node('beta', 'fixed:0.1');
      await allUp(ear, ['alpha', 'beta']);
      const ended = await scene.command(alpha, ['run', '--', 'sleep', '0.3']);
      expect(ended.code).toBe(0);
      while (!text.includes('"phase":"done"')) await once(sub.stdout, 'data');
      const kinds = text.split('\n').map((line) => line.split(' ')[0]?.split('/')[4]);
      const order = ['offer', 'claim', 'ack', 'progress', 'result'].map((kind) => kinds.indexOf(kind));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(order).not.toContain(-1);
      expect(kinds.lastIndexOf('status')).toBeGreaterThan(kinds.indexOf('result'));
    } finally {
      sub.kill();
      await scene.end();
      await mosquitto.close();
    }
  });
});
