/**
 * Nodes are killed in the middle of an item and restart: the item is settled, and its command ran as often as `retry`
 * promises. The job itself records that: it writes a line at its start and at its end.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BROKERS, takeTurns, type TestBroker } from '../support/brokers.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';

/** A lease in which a killed node is back, even on a busy machine. */
const LEASE = { TRITMESH_LEASE_LEASE_MS: '15000' };

describe.each(BROKERS)('on $name', ({ isThere, open, name }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);
  const onTurn = takeTurns(name);
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;
  let alpha: NodeProcess;
  let beta: NodeProcess;
  let gamma: NodeProcess;
  let record: string;
  let gate: string;

  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    ear = await scene.ear();
    alpha = await scene.node('alpha', 'fixed:0.9', LEASE);
    beta = await scene.node('beta', 'fixed:0.1', LEASE);
    gamma = await scene.node('gamma', 'fixed:0.5', LEASE);
    await allUp(ear, ['alpha', 'beta', 'gamma']);
    const directory = await scene.directory();
    record = join(directory, 'record');
    gate = join(directory, 'gate');
  });
  afterEach(async () => {
    await scene.end();
    await broker.close();
  });

  /** Submits a job that runs until the gate file exists, and waits until it runs on beta. */
  async function submitJob(retry: 'once' | 'rerun'): Promise<string> {
    const job = `echo start >> ${record}; while [ ! -e ${gate} ]; do sleep 0.1; done; echo end >> ${record}; echo out`;
    const submitted = await scene.command(alpha, [
      'run',
      '--no-wait',
      '--json',
      '--retry',
      retry,
      '--',
      'sh',
      '-c',
      job,
    ]);
    expect(submitted.code, submitted.stderr).toBe(0);
    const running = await ear.next((one) => one.topic.endsWith('/status') && one.text.includes('"phase":"running"'));
    expect(fields(running)['receiver']).toBe('beta');
    return running.topic.split('/')[3] ?? '';
  }

  async function openGate(): Promise<void> {
    await writeFile(gate, '');
  }

  onTurn('settles an item whose owner was killed and restarted, and runs it once', async () => {
    const item = await submitJob('once');
    await alpha.kill();
    await alpha.start();
    await openGate();
    const done = await ear.next(isStatus(item, 'done', 'lost', 'failed'));
    expect(fields(done)).toMatchObject({ phase: 'done', exit_code: 0, attempts: 1 });
    expect(await readFile(record, 'utf8')).toBe('start\nend\n');
    expect(await readFile(join(alpha.stateDir, 'items', item, 'stdout'), 'utf8')).toBe('out\n');
  });

  onTurn('settles an item whose receiver was killed and restarted, and finds the run again', async () => {
    const item = await submitJob('once');
    await beta.kill();
    await beta.start();
    await openGate();
    const done = await ear.next(isStatus(item, 'done', 'lost', 'failed'));
    expect(fields(done)).toMatchObject({ phase: 'done', exit_code: 0, attempts: 1 });
    expect(await readFile(record, 'utf8')).toBe('start\nend\n');
  });

  onTurn('settles an item while a third node is killed and restarts', async () => {
    const item = await submitJob('rerun');
    await gamma.kill();
    await gamma.start();
    await openGate();
    const done = await ear.next(isStatus(item, 'done', 'lost', 'failed'));
    expect(fields(done)).toMatchObject({ phase: 'done', attempts: 1 });
    expect(await readFile(record, 'utf8')).toBe('start\nend\n');
  });

  onTurn(
    'runs an item again elsewhere when its receiver stays away, after the first run was ended by its watchdog',
    async () => {
      const item = await submitJob('rerun');
      await beta.kill();
      await scene.node('delta', 'fixed:0.1');
      await ear.next((one) => isStatus(item, 'running')(one) && fields(one)['receiver'] === 'delta');
      await openGate();
      const done = await ear.next(isStatus(item, 'done', 'lost', 'failed'));
      expect(fields(done)).toMatchObject({ phase: 'done', receiver: 'delta', epoch: 2 });
      expect(await readFile(record, 'utf8')).toBe('start\nstart\nend\n');
    },
  );

  onTurn('shows a once item as lost if its receiver does not come back', async () => {
    const item = await submitJob('once');
    await beta.kill();
    const lost = await ear.next(isStatus(item, 'done', 'lost', 'failed'));
    expect(fields(lost)).toMatchObject({ phase: 'lost', receiver: 'beta' });
    expect(await readFile(record, 'utf8')).toBe('start\n');
  });

  onTurn('continues when the broker stops and comes back', async () => {
    const item = await submitJob('once');
    await broker.stop();
    await broker.start();
    await openGate();
    const done = await ear.next(isStatus(item, 'done', 'lost', 'failed'));
    expect(fields(done)).toMatchObject({ phase: 'done', exit_code: 0, attempts: 1 });
    expect(await readFile(record, 'utf8')).toBe('start\nend\n');
  });
});
