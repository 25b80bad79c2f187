/**
 * A pulled cable: the receiver is in another network namespace, connected to this one by a pair of veth devices, and
 * the link goes down and up again in the middle of an item.
 */
import { execFileSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.js';
import { requirement } from '../support/requirements.js';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import { allUp, isStatus, openScene, type BusListener, type NodeProcess, type Scene } from '../support/programs.js';
import { hasFlock, submitWitness, type Witness } from '../support/witness.js';

const NAME = `tm${process.pid}`;
/** Addresses for documentation: one of three blocks that this machine does not use itself. */
const BLOCK = ['198.51.100', '203.0.113', '192.0.2'].find((block) => !isInUse(block)) ?? '';
const [NEAR, FAR] = [`${BLOCK}.1`, `${BLOCK}.2`];

const isRoot = requirement(
  'root on Linux to make network namespaces',
  process.platform === 'linux' && process.getuid?.() === 0 && BLOCK !== '' && canMakeNamespaces(),
  'run the tests as root with iproute2, in a container with CAP_SYS_ADMIN and CAP_NET_ADMIN',
);

describe.skipIf(!isRoot).each(BROKERS)('a cable on $name', ({ isThere, open }) => {
  if (!isThere || !hasFlock()) return it.skip('needs its broker and flock', () => undefined);
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;
  let proxy: FaultProxy;
  let alpha: NodeProcess;

  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    ear = await scene.ear();
    layCable();
    proxy = await startFaultProxy(Number(new URL(broker.url).port), NEAR);
    alpha = await scene.node('alpha', 'fixed:0.9', { TRITMESH_OFFERS_TTL_MS: '2000', TRITMESH_TRANSFER_LISTEN: NEAR });
    await scene.node(
      'beta',
      'fixed:0.1',
      { TRITMESH_TRANSFER_LISTEN: FAR },
      { broker: `mqtt://${NEAR}:${proxy.port}`, within: ['ip', 'netns', 'exec', NAME] },
    );
    await allUp(ear, ['alpha', 'beta']);
  });
  afterEach(async () => {
    await scene.end();
    // Remove the device at once: a namespace releases it only some time after it was deleted.
    ip('link', 'del', `${NAME}a`);
    ip('netns', 'del', NAME);
    await proxy.close();
    await broker.close();
  });

  async function submitRunning(retry: 'once' | 'rerun'): Promise<Witness> {
    const job = await submitWitness(scene, ear, alpha, { retry, waits: true });
    await ear.next(isStatus(job.item, 'running'));
    await expect.poll(job.record, { timeout: 10_000 }).toEqual(['start']);
    return job;
  }

  it('delivers a result that was produced while it was pulled', async () => {
    const job = await submitRunning('once');
    ip('link', 'set', `${NAME}a`, 'down');
    await job.letGo();
    await expect.poll(job.record, { timeout: 10_000 }).toEqual(['start', 'end']);
    ip('link', 'set', `${NAME}a`, 'up');
    expect(await job.settled()).toMatchObject({ phase: 'done', exit_code: 0, attempts: 1 });
    const { found, made } = await job.output();
    expect(found.equals(made)).toBe(true);
  });

  it('makes an item run again if it was pulled for longer than a lease, and never twice at once', async () => {
    const job = await submitRunning('rerun');
    ip('link', 'set', `${NAME}a`, 'down');
    await ear.next((one) => isStatus(job.item, 'queued')(one) && one.text.includes('ended without an answer'));
    ip('link', 'set', `${NAME}a`, 'up');
    await job.letGo();
    expect(await job.settled()).toMatchObject({ phase: 'done', exit_code: 0 });
    expect(await job.record()).toEqual(['start', 'start', 'end']);
    const { found, made } = await job.output();
    expect(found.equals(made)).toBe(true);
  });
});

function layCable(): void {
  ip('netns', 'add', NAME);
  ip('link', 'add', `${NAME}a`, 'type', 'veth', 'peer', 'name', `${NAME}b`, 'netns', NAME);
  ip('addr', 'add', `${NEAR}/30`, 'dev', `${NAME}a`);
  ip('link', 'set', `${NAME}a`, 'up');
  ip('-n', NAME, 'addr', 'add', `${FAR}/30`, 'dev', `${NAME}b`);
  ip('-n', NAME, 'link', 'set', `${NAME}b`, 'up');
  ip('-n', NAME, 'link', 'set', 'lo', 'up');
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function isInUse(block: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address.startsWith(`${block}.`)));
}

function canMakeNamespaces(): boolean {
  try {
    ip('netns', 'add', `${NAME}t`);
    ip('link', 'add', `${NAME}t`, 'type', 'veth', 'peer', 'name', `${NAME}u`, 'netns', `${NAME}t`);
    ip('netns', 'del', `${NAME}t`);
    return true;
  } catch {
    try {
      ip('netns', 'del', `${NAME}t`);
    } catch {
      // It was never created.
    }
    return false;
  }
}
