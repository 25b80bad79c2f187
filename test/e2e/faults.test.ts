/**
 * Faults of machines and networks, with real nodes: they are stopped for longer than a lease, their connection to the
 * broker is slow, silent, cut or half closed. A job under way is still settled, and never runs twice at once.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.js';
import { BROKERS, takeTurns, type TestBroker } from '../support/brokers.js';
import { listGuestKeys } from '../support/journal-copy.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';
import { hasFlock, submitWitness, type Witness } from '../support/witness.js';

const VARIABLES = { TRITMESH_OFFERS_TTL_MS: '2000' };

describe.each(BROKERS)('on $name', ({ isThere, open, name }) => {
  if (!isThere || !hasFlock()) return it.skip('needs its broker and flock', () => undefined);
  const onTurn = takeTurns(name);
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;
  let proxy: FaultProxy;
  let alpha: NodeProcess;
  let beta: NodeProcess;

  beforeEach(async () => {
    broker = await open();
    proxy = await startFaultProxy(Number(new URL(broker.url).port));
    scene = openScene(broker.url);
    ear = await scene.ear();
  });
  afterEach(async () => {
    await scene.end();
    await proxy.close();
    await broker.close();
  });

  /** Beta reaches the broker through the proxy. The lease either outlasts the fault of a test or does not. */
  async function startNodes(leaseMs: 6000 | 30_000, doors: readonly FaultProxy[] = []): Promise<void> {
    const at = (index: number): Readonly<Record<string, string>> => {
      const door = doors[index];
      return door === undefined ? {} : { TRITMESH_TRANSFER_ADVERTISE: `127.0.0.1:${door.port}` };
    };
    const lease = { TRITMESH_LEASE_LEASE_MS: String(leaseMs) };
    alpha = await scene.node('alpha', 'fixed:0.9', { ...VARIABLES, ...lease, ...at(0) });
    const place = { broker: `mqtt://127.0.0.1:${proxy.port}` };
    beta = await scene.node('beta', 'fixed:0.1', { ...VARIABLES, ...at(1) }, place);
    await allUp(ear, ['alpha', 'beta']);
  }

  /** A proxy to the port on which a node listens for others. */
  async function openDoor(node: () => NodeProcess): Promise<FaultProxy> {
    const door = await startFaultProxy(() => Number(readFileSync(join(node().stateDir, 'transfer-port'), 'latin1')));
    onTestFinished(() => door.close());
    return door;
  }

  async function submitRunning(retry: 'once' | 'rerun'): Promise<Witness> {
    const job = await submitWitness(scene, ear, alpha, { retry, waits: true });
    await ear.next((one) => isStatus(job.item, 'running')(one) && fields(one)['receiver'] === 'beta');
    await expect.poll(job.record, { timeout: 10_000 }).toEqual(['start']);
    return job;
  }

  async function runsOn(job: Witness, node: string): Promise<void> {
    await ear.next((one) => isStatus(job.item, 'running')(one) && fields(one)['receiver'] === node);
  }

  async function expectDone(job: Witness, record: readonly string[]): Promise<void> {
    expect(await job.settled()).toMatchObject({ phase: 'done', exit_code: 0 });
    expect(await job.record()).toEqual(record);
    const { found, made } = await job.output();
    expect(found.equals(made)).toBe(true);
  }

  onTurn(
    'runs an item elsewhere when its receiver is stopped for longer than a lease, and never twice at once',
    async () => {
      await startNodes(6000);
      const job = await submitRunning('rerun');
      beta.signal('SIGSTOP');
      await scene.node('gamma', 'fixed:0.1', VARIABLES);
      await runsOn(job, 'gamma');
      const from = ear.heard.length;
      beta.signal('SIGCONT');
      // Everything that beta published about its epoch is answered before the job may end.
      await ear.next((one) => one.topic.startsWith('tritmesh/node/beta/state') && ear.heard.lastIndexOf(one) >= from);
      await job.letGo();
      await expectDone(job, ['start', 'start', 'end']);
    },
  );

  onTurn('keeps an item whose owner is stopped for longer than a lease', async () => {
    await startNodes(6000);
    const job = await submitRunning('rerun');
    alpha.signal('SIGSTOP');
    // The receiver ends the run when its lease is over, and repeats that until it is answered.
    await ear.next((one) => one.topic.includes(`/${job.item}/result/beta`));
    alpha.signal('SIGCONT');
    await job.letGo();
    await expectDone(job, ['start', 'start', 'end']);
  });

  onTurn('does not start a once item again when its receiver was stopped for too long', async () => {
    await startNodes(6000);
    const job = await submitRunning('once');
    beta.signal('SIGSTOP');
    await scene.node('gamma', 'fixed:0.1', VARIABLES);
    expect(await job.settled()).toMatchObject({ phase: 'lost', receiver: 'beta' });
    beta.signal('SIGCONT');
    // Beta reports that its watchdog ended the run, and stops when the owner has recorded it.
    await ear.next((one) => one.topic.includes(`/${job.item}/result/beta`));
    await expect.poll(() => listGuestKeys(beta.stateDir), { timeout: 20_000 }).toEqual([]);
    expect(await job.record()).toEqual(['start']);
    const last = ear.heard.findLast((one) => one.topic.endsWith(`/${job.item}/status`));
    expect(last === undefined ? undefined : fields(last)).toMatchObject({ phase: 'lost', attempts: 1 });
  });

  onTurn('continues over a slow connection', async () => {
    proxy.delay(150);
    await startNodes(30_000);
    const job = await submitRunning('once');
    await job.letGo();
    await expectDone(job, ['start', 'end']);
  });

  onTurn('continues when its connection is cut, and when each new one is cut after some bytes', async () => {
    await startNodes(30_000);
    const job = await submitRunning('once');
    proxy.cutAfter(1, 50, 900);
    const before = proxy.connections();
    proxy.cutNow();
    await expect.poll(() => proxy.connections(), { timeout: 20_000 }).toBeGreaterThanOrEqual(before + 4);
    await job.letGo();
    await expectDone(job, ['start', 'end']);
  });

  onTurn('continues when the broker seems to have closed its half of the connection', async () => {
    await startNodes(30_000);
    const job = await submitRunning('once');
    const before = proxy.connections();
    proxy.halfClose();
    await expect.poll(() => proxy.connections(), { timeout: 20_000 }).toBeGreaterThan(before);
    await job.letGo();
    await expectDone(job, ['start', 'end']);
  });

  onTurn('continues a run whose node can reach its owner, but not the broker', async () => {
    await startNodes(6000);
    const job = await submitRunning('once');
    proxy.blackHole(true);
    await setTimeout(25_000);
    await job.letGo();
    await expectDone(job, ['start', 'end']);
  });

  onTurn('ends a run whose node cannot reach anyone any more, and runs it elsewhere', async () => {
    const lines = [proxy, await openDoor(() => alpha), await openDoor(() => beta)];
    await startNodes(6000, lines.slice(1));
    const job = await submitRunning('rerun');
    for (const line of lines) line.blackHole(true);
    await scene.node('gamma', 'fixed:0.1', VARIABLES);
    await runsOn(job, 'gamma');
    for (const line of lines) line.blackHole(false);
    await job.letGo();
    await expectDone(job, ['start', 'start', 'end']);
  });
});
