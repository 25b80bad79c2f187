/**
 * A flood of hostile messages to two nodes through a real broker, while a job of theirs runs: they keep answering,
 * refuse and count what they must, do not grow, obey nothing, and finish the job. TRITMESH_TEST_LONG=1 sends 100,000
 * messages.
 */
import { existsSync, readFileSync } from 'node:fs';
import { connect, type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSigner } from '../../src/compose/client.js';
import { readProof } from '../../src/protocol/envelope.js';
import { requirement } from '../support/requirements.js';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import { makeHostileMessages, type HostileMessage } from '../support/hostile-messages.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  type BusListener,
  type Heard,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';
import { hasFlock, submitWitness, type Witness } from '../support/witness.js';

const isLong = process.env['TRITMESH_TEST_LONG'] === '1';
const MESSAGES = isLong ? 100_000 : 10_000;
/** Messages at a time, before the nodes must answer: more would only fill the broker's queues. */
const BATCH = 500;
const PATIENCE_MS = isLong ? 600_000 : 240_000;
const SEED = Number(process.env['TRITMESH_TEST_SEED'] ?? Date.now() % 1_000_000_000);
/**
 * How much a node may grow, MiB: some garbage is not collected yet, and members and offers are kept up to their limits.
 */
const GROWTH_MIB_MAX = 120;
const NODES = ['alpha', 'beta'] as const;
const hasProc = requirement('/proc', existsSync('/proc/self/status'), 'run it on Linux');

describe.skipIf(!hasProc).each(BROKERS)('a hostile flood on $name', ({ isThere, open }) => {
  if (!isThere || !hasFlock()) return it.skip('needs its broker and flock', () => undefined);
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;
  let attacker: MqttClient;

  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    ear = await scene.ear(['tritmesh/node/+/state', 'tritmesh/node/+/response/+', 'tritmesh/work/#']);
    attacker = connect(broker.url, { protocolVersion: 4, clientId: 'attacker', reconnectPeriod: 50 });
  });
  afterEach(async () => {
    await attacker.endAsync(true);
    await scene.end();
    await broker.close();
  });

  it(
    `of ${MESSAGES} messages changes nothing (TRITMESH_TEST_SEED=${SEED})`,
    async () => {
      const alpha = await scene.node('alpha', 'fixed:0.9', QUIET);
      const beta = await scene.node('beta', 'fixed:0.1', QUIET);
      await allUp(ear, NODES);
      await (await submitWitness(scene, ear, alpha, { retry: 'once' })).settled();
      const job = await submitWitness(scene, ear, alpha, { retry: 'once', waits: true });
      await ear.next(isStatus(job.item, 'running'));
      const captured = ear.heard.filter(({ topic, text }) => text !== '' && !topic.endsWith('/status'));
      const before = [alpha, beta].map(readRss);

      const messages = makeHostileMessages({ seed: SEED, base: 'tritmesh', nodes: NODES, captured });
      const refused = { alpha: 0, beta: 0 };
      for (let sent = 0; sent < MESSAGES; sent += BATCH) {
        const batch = Array.from({ length: BATCH }, () => messages.next().value);
        for (const node of NODES) refused[node] += batch.filter((one) => one.refusedBy.includes(node)).length;
        await Promise.all(batch.map((one) => publish(attacker, one)));
        await Promise.all(NODES.map((node) => ping(ear, node, sent)));
      }

      for (const [index, node] of [alpha, beta].entries()) {
        const grown = readRss(node) - (before[index] ?? 0);
        expect(grown, `seed ${SEED}: growth of ${node.id}, MiB`).toBeLessThan(GROWTH_MIB_MAX);
        const state = await askState(ear, node);
        if (isLong)
          process.stdout.write(`${node.id} grew by ${grown.toFixed(0)} MiB, refused ${String(state['rejected'])}\n`);
        expect(state, `seed ${SEED}`).toMatchObject({ draining: false, accepting: true });
        expect(state['rejected'], `seed ${SEED}`).toBeGreaterThanOrEqual(
          refused[node.id === 'alpha' ? 'alpha' : 'beta'],
        );
      }
      await job.letGo();
      await expectOnce(job);

      // When the nodes come back, they receive what the broker has retained of it.
      for (const node of [alpha, beta]) {
        const killedAt = Date.now();
        await node.kill();
        await node.start();
        expect(await stateSince(ear, node, killedAt)).toMatchObject({ draining: false, accepting: true });
      }
      await expectOnce(await submitWitness(scene, ear, alpha, { retry: 'once' }));
    },
    PATIENCE_MS,
  );
});

/** The log level: a line for each refused request would only fill the test's memory. */
const QUIET = { TRITMESH_LOG_LEVEL: 'warn' };

async function publish(attacker: MqttClient, { topic, payload, retain }: HostileMessage): Promise<void> {
  await attacker.publishAsync(topic, payload, { qos: 1, retain });
}

async function ping(ear: BusListener, node: string, count: number): Promise<void> {
  const transaction = `${node}-after-${count}`;
  await ear.publish(`tritmesh/node/${node}/request/ping`, JSON.stringify({ transaction }));
  await ear.next((one) => one.topic === `tritmesh/node/${node}/response/ping` && one.text.includes(transaction));
}

async function askState(ear: BusListener, node: NodeProcess): Promise<Record<string, unknown>> {
  const askedAt = Date.now();
  await ear.publish(`tritmesh/node/${node.id}/request/refresh`, '');
  return stateSince(ear, node, askedAt);
}

/** The first state that the node itself has published since then, by the clock of this machine. */
async function stateSince(ear: BusListener, node: NodeProcess, wall: number): Promise<Record<string, unknown>> {
  const identity = (await loadSigner(node.stateDir, node.id))?.identity;
  const isItsOwn = ({ topic, text }: Heard): boolean => {
    if (topic !== `tritmesh/node/${node.id}/state`) return false;
    const proof = readProof(topic, text);
    return proof !== undefined && identity?.verify(identity.publicKey, proof.covered, proof.signature) === true;
  };
  return fields(await ear.next((one) => isItsOwn(one) && Date.parse(String(fields(one)['ts'])) >= wall));
}

async function expectOnce(job: Witness): Promise<void> {
  expect(await job.settled()).toMatchObject({ phase: 'done', exit_code: 0, attempts: 1 });
  expect(await job.record()).toEqual(['start', 'end']);
  const { found, made } = await job.output();
  expect(found.equals(made)).toBe(true);
}

/** MiB. */
function readRss(node: NodeProcess): number {
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${node.pid}/status`, 'utf8'));
  return Number(rss?.[1]) / 1024;
}
