/**
 * Faulty connections between two real nodes: the connection to the other's files is slow, cut, silent or half closed,
 * first for the inputs, then for the outputs. The job still runs once, and its output is correct byte for byte.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.js';
import { requirement } from '../support/requirements.js';
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
import { hasFlock, submitWitness, type Witness } from '../support/witness.js';

/** Loopback has several addresses: a node listens on one and advertises the other, on which the proxy listens. */
const [BEHIND, BEFORE] = ['127.0.0.1', '127.0.0.2'];
const hasLoopback = requirement('127.0.0.2', process.platform === 'linux', 'run it on Linux');
const BYTES = 3_000_000;

describe.skipIf(!hasLoopback).each(BROKERS)('files on their way, on $name', ({ isThere, open, name }) => {
  if (!isThere || !hasFlock()) return it.skip('needs its broker and flock', () => undefined);
  const onTurn = takeTurns(name);
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;
  let alpha: NodeProcess;
  /** The proxies to the files of alpha and of beta. */
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

  onTurn('arrive over a slow connection', async () => {
    for (const proxy of [inward, homeward]) proxy.delay(150);
    const job = await submit();
    await letRun(job);
    await expectOnce(job);
  });

  onTurn('arrive piece by piece if each connection is cut after some bytes', async () => {
    // In the handshake, in the manifest, and twice in the files. Files are pushed if a side cannot be called at all, so
    // the connection for the outputs is cut later.
    inward.cutAfter(1, 1500, 400_000, 1_500_000);
    homeward.cutAfter(1500, 1500, 400_000, 1_500_000);
    const job = await submit();
    await letRun(job);
    await expectOnce(job);
    expect(inward.connections()).toBeGreaterThanOrEqual(5);
    expect(homeward.connections()).toBeGreaterThanOrEqual(5);
  });

  onTurn('arrive when the connection is no longer silent', async () => {
    for (const proxy of [inward, homeward]) proxy.blackHole(true);
    const job = await submit();
    await connected(inward);
    inward.blackHole(false);
    await letRun(job);
    await connected(homeward);
    homeward.blackHole(false);
    await expectOnce(job);
  });

  onTurn('arrive if the other side seems to have closed its half of the connection', async () => {
    // So slow that the first connection has barely begun when that happens.
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
