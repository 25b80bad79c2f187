/**
 * Lines between two nodes, with real nodes: the way to the files of the other is slow, cut, deaf or half shut, first for the
 * inputs, then for the outputs. The job runs once all the same, and its output is byte for byte what it must be.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../fault-proxy.js';
import { requirement } from '../requirements.js';
import { BROKERS, takeTurns, type TestBroker } from './brokers.js';
import { allUp, fields, isStatus, openScene, type Ear, type NodeProcess, type Scene } from './programs.js';
import { hasFlock, submitWitness, type Witness } from './witness.js';

/** Loopback has more than one address: a node listens on the one and tells the other, where the proxy listens. */
const [BEHIND, BEFORE] = ['127.0.0.1', '127.0.0.2'];
const hasLoopback = requirement('127.0.0.2', process.platform === 'linux', 'run it on Linux');
const BYTES = 3_000_000;

describe.skipIf(!hasLoopback).each(BROKERS)('files on their way, on $name', ({ isThere, open, name }) => {
  if (!isThere || !hasFlock()) return it.skip('needs its broker and flock', () => undefined);
  const onTurn = takeTurns(name);
  let broker: TestBroker;
  let scene: Scene;
  let ear: Ear;
  let alpha: NodeProcess;
  /** On the way to the files of alpha, and of beta. */
  let inward: FaultProxy;
  let homeward: FaultProxy;

  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    ear = await scene.ear();
    inward = await startTwin();
    homeward = await startTwin();
    alpha = await scene.node('alpha', 'fixed:0.9', behind(inward));
    await scene.node('beta', 'fixed:0.1', behind(homeward));
    await allUp(ear, ['alpha', 'beta']);
  });
  afterEach(async () => {
    await scene.end();
    await Promise.all([inward.close(), homeward.close()]);
    await broker.close();
  });

  const submit = (): Promise<Witness> => submitWitness(scene, ear, alpha, { retry: 'once', waits: true, bytes: BYTES });

  async function letRun(job: Witness): Promise<void> {
    await ear.next((one) => isStatus(job.item, 'running')(one) && fields(one)['receiver'] === 'beta');
    await job.letGo();
  }

  async function expectOnce(job: Witness): Promise<void> {
    expect(await job.settled()).toMatchObject({ phase: 'done', exit_code: 0, attempts: 1 });
    expect(await job.record()).toEqual(['start', 'end']);
    const { found, made } = await job.output();
    expect(found.equals(made)).toBe(true);
  }

  async function connected(proxy: FaultProxy): Promise<void> {
    await expect.poll(() => proxy.connections(), { timeout: 20_000, interval: 10 }).toBeGreaterThan(0);
  }

  onTurn('come over a slow line', async () => {
    for (const proxy of [inward, homeward]) proxy.delay(150);
    const job = await submit();
    await letRun(job);
    await expectOnce(job);
  });

  onTurn('come piece by piece when each connection is cut after some bytes', async () => {
    // In the handshake, in the list of files, and twice in the files. A side that cannot be called at all is pushed to: the way home
    // is cut later.
    inward.cutAfter(1, 1500, 400_000, 1_500_000);
    homeward.cutAfter(1500, 1500, 400_000, 1_500_000);
    const job = await submit();
    await letRun(job);
    await expectOnce(job);
    expect(inward.connections()).toBeGreaterThanOrEqual(5);
    expect(homeward.connections()).toBeGreaterThanOrEqual(5);
  });

  onTurn('come when the line is no longer deaf', async () => {
    for (const proxy of [inward, homeward]) proxy.blackHole(true);
    const job = await submit();
    await connected(inward);
    inward.blackHole(false);
    await letRun(job);
    await connected(homeward);
    homeward.blackHole(false);
    await expectOnce(job);
  });

  onTurn('come when the other side seems to have shut its half of the connection', async () => {
    // So slow that the first connection is still at its beginning when that happens.
    for (const proxy of [inward, homeward]) proxy.delay(200);
    const job = await submit();
    await connected(inward);
    inward.halfClose();
    await letRun(job);
    await connected(homeward);
    homeward.halfClose();
    await expectOnce(job);
    expect(inward.connections()).toBeGreaterThanOrEqual(2);
    expect(homeward.connections()).toBeGreaterThanOrEqual(2);
  });
});

/** A proxy to the same port of the other address. */
async function startTwin(): Promise<FaultProxy> {
  const proxy: FaultProxy = await startFaultProxy(() => proxy.port, BEFORE);
  return proxy;
}

function behind({ port }: FaultProxy): Readonly<Record<string, string>> {
  return {
    TRITMESH_TRANSFER_LISTEN: BEHIND,
    TRITMESH_TRANSFER_PORT: String(port),
    TRITMESH_TRANSFER_ADVERTISE: BEFORE,
    TRITMESH_LEASE_LEASE_MS: '30000',
    TRITMESH_OFFERS_TTL_MS: '2000',
  };
}
