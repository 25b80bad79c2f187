/**
 * An owner and a receiver on a broker with two jobs, one `once` and one `rerun`, and the checks that must hold for both
 * afterwards, whatever happened meanwhile. They use only what can be seen from outside.
 */
import { expect, onTestFinished } from 'vitest';
import type { JournalledItem } from '../../src/core/owner/item-record.js';
import { isSettled } from '../../src/core/owner/owned-item.js';
import { listProcessesBelow } from './processes-below.js';
import type { TestBroker } from './brokers.js';
import { keysOf, listGuestKeys, readJournalOf } from './journal-copy.js';
import { allUp, openScene, upAfter, type BusListener, type NodeProcess, type Scene } from './programs.js';
import { submitWitness, type Witness } from './witness.js';
import { tellIfFailed } from './story.js';

/** The broker and nodes of one test; they are closed with the test. */
export interface Pair<B extends TestBroker = TestBroker> {
  readonly broker: B;
  readonly scene: Scene;
  readonly ear: BusListener;
  readonly owner: NodeProcess;
  readonly receiver: NodeProcess;
}

/** Which of the two a fault happens to. */
export type Side = 'owner' | 'receiver';

/** A node that refused an item after a restart is excluded for the duration of an offer, which is short here. */
const VARIABLES = { TRITMESH_SLOTS: '4', TRITMESH_OFFERS_TTL_MS: '2000' };

/**
 * Opens a pair with additional variables for both. One of them stops at the step `stop.at` until it is started again.
 */
export async function openPair<B extends TestBroker>(
  openBroker: () => Promise<B>,
  stop: { readonly side: Side; readonly at: string },
  variables: Readonly<Record<string, string>> = {},
): Promise<Pair<B>> {
  const broker = await openBroker();
  onTestFinished(() => broker.close());
  const scene = openScene(broker.url);
  onTestFinished(() => scene.end());
  const ear = await scene.ear();
  const variablesOf = (side: Side): Readonly<Record<string, string>> => ({
    ...VARIABLES,
    ...variables,
    ...(side === stop.side ? { TRITMESH_STOP_AT: stop.at } : {}),
  });
  const [owner, receiver] = await Promise.all([
    scene.node('alpha', 'fixed:0.9', variablesOf('owner')),
    scene.node('beta', 'fixed:0.1', variablesOf('receiver')),
  ]);
  tellIfFailed([owner, receiver], ear);
  await allUp(ear, ['alpha', 'beta']);
  return { broker, scene, ear, owner, receiver };
}

/** Submits both jobs, without waiting for an answer: the fault may come before it. */
export function submitJobs({ scene, ear, owner }: Pair): Promise<readonly Witness[]> {
  const retries = ['once', 'rerun'] as const;
  return Promise.all(retries.map((retry) => submitWitness(scene, ear, owner, { retry }, false)));
}

/** Starts a node again without the variable that made it stop. */
export async function startAgain({ ear }: Pair, node: NodeProcess): Promise<void> {
  const from = ear.heard.length;
  await node.start(VARIABLES);
  await upAfter(ear, node.id, from);
}

/**
 * Waits for the end of both jobs and checks that nothing of them is left. `startsMax` is how often a `rerun` job may
 * have been started; by default as often as its owner acked it.
 */
export async function expectSettled(pair: Pair, jobs: readonly Witness[], startsMax?: number): Promise<void> {
  for (const job of jobs) await job.askAgain();
  for (const job of jobs) await expectKept(job, startsMax);
  await expectReleased(pair);
  await stopBoth(pair);
  await expectJournals(pair, jobs);
}

/** The command ran as often as promised, and its output is at the owner. */
async function expectKept(job: Witness, startsMax: number | undefined): Promise<void> {
  const status = await job.settled();
  const record = await job.record();
  expect(status, JSON.stringify(status)).toMatchObject({ phase: 'done', exit_code: 0 });
  const { found, made } = await job.output();
  expect(found.equals(made)).toBe(true);
  expect(record).not.toContain('overlap');
  expect(record.at(-1)).toBe('end');
  if (job.retry === 'once') return expect(record).toEqual(['start', 'end']);
  const starts = record.filter((line) => line === 'start').length;
  expect(starts, JSON.stringify(status)).toBeGreaterThanOrEqual(1);
  expect(starts, JSON.stringify(status)).toBeLessThanOrEqual(startsMax ?? Number(status['attempts']));
}

/** The owner may release its receiver later than it publishes its last status. */
async function expectReleased({ owner, receiver }: Pair): Promise<void> {
  for (const { stateDir } of [owner, receiver]) {
    await expect.poll(() => listGuestKeys(stateDir), { timeout: 30_000, interval: 200 }).toEqual([]);
  }
}

/** A process that outlives a stopped node was forgotten by it. */
async function stopBoth({ owner, receiver }: Pair): Promise<void> {
  for (const node of [owner, receiver]) node.signal('SIGTERM');
  for (const node of [owner, receiver]) expect(await node.ended()).toBe(0);
  await expect
    .poll(() => [owner, receiver].flatMap((node) => listProcessesBelow(node.stateDir)), { timeout: 10_000 })
    .toEqual([]);
}

/** The owner's journal keeps ended items: each job once, ended once. Nothing else is left. */
async function expectJournals({ owner, receiver }: Pair, jobs: readonly Witness[]): Promise<void> {
  const received = await readJournalOf(receiver.stateDir);
  expect([...keysOf(received, 'guest'), ...keysOf(received, 'item')]).toEqual([]);
  const owned = await readJournalOf(owner.stateDir);
  expect(keysOf(owned, 'guest')).toEqual([]);
  expect(keysOf(owned, 'item').toSorted()).toEqual(jobs.map(({ item }) => `item/${item}`).toSorted());
  for (const { value } of owned.filter(({ key }) => key.startsWith('item/'))) {
    const { phase, history } = value as JournalledItem;
    expect(phase).toBe('done');
    expect(history.filter((entry) => isSettled(entry.phase))).toHaveLength(1);
  }
}
