/**
 * Images of running processes that are damaged on their way: a flipped byte, a truncated file, a stream that ends for
 * good. A receiver refuses such an image before anything is restored and reports why; the original continues. Real
 * nodes, a real broker, real criu. Without damage the same way leads to a restore, which shows that the test would
 * notice one.
 */
import { closeSync, openSync, readdirSync, readSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.js';
import { findCountFault, makeCounters } from '../support/counters.js';
import { canFreeze } from '../support/criu.js';
import { BROKERS } from '../support/brokers.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  WITH_CRIU,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';
import { tellIfFailed } from '../support/story.js';

const { counters, directory } = makeCounters();
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const counter = counters.find(({ name }) => name === 'C');

const isLong = process.env['TRITMESH_TEST_LONG'] === '1';
/** A normal run tests only the first kind of damage of each list. */
const shorten = <T>(cases: readonly T[]): readonly T[] => (isLong ? cases : cases.slice(0, 1));

const LINES = 1000;
/** The step at which the second node would begin to restore: it stops there. */
const RESTORE = 'receiver:start';
/** An original stays stopped for half a minute, in case there is another receiver; then it continues. */
const PATIENT_MS = 180_000;

/** Damage to the memory pages of an image, and the reason for which it is refused. */
interface Damage {
  readonly title: string;
  readonly reason: RegExp;
  harm(path: string): void;
}

const TURNED: Damage = {
  title: 'with one byte turned',
  harm: turnByte,
  reason: /image\/pages-1\.img has another sha256 than its manifest says/,
};
const CUT: Damage = {
  title: 'cut short',
  harm: cutShort,
  reason: /image\/pages-1\.img changed after it was described: it has \d+ bytes, not \d+/,
};

describe.skipIf(!canFreeze || counter === undefined)('an image', () => {
  it('that is undamaged is restored, and the copy continues', { timeout: PATIENT_MS }, async () => {
    const move = await openMove({}, { ...WITH_CRIU, TRITMESH_STOP_AT: `freeze:${RESTORE}` });
    const beta = await move.toBeta();
    await says(beta, `stands still at ${RESTORE}`);
    beta.signal('SIGCONT');
    const moved = await move.ear.next((one) => isStatus(move.item, 'running')(one) && fields(one)['hops'] === 1);
    expect(fields(moved)).toMatchObject({ receiver: 'beta' });
    await move.expectEnd({ receiver: 'beta', hops: 1 });
  });

  it.each(shorten([TURNED, CUT]))(
    '$title at its owner is refused unrestored',
    { timeout: PATIENT_MS },
    async ({ harm, reason }) => {
      // By then its manifest is hashed and published, but its bytes are not requested yet.
      const move = await openMove(
        { TRITMESH_STOP_AT: 'freeze:owner:share' },
        { ...WITH_CRIU, TRITMESH_STOP_AT: `freeze:${RESTORE}` },
      );
      const beta = await move.toBeta();
      await says(move.alpha, 'stands still at owner:share');
      harm(findPages(join(move.alpha.stateDir, 'items', move.item, 'image', 'image')));
      move.alpha.signal('SIGCONT');
      await move.expectRefused(beta, reason);
    },
  );

  it.runIf(isLong)('whose stream ends and never goes on is refused unrestored', { timeout: PATIENT_MS }, async () => {
    const line = await startLine();
    const move = await openMove(behind(line), { ...WITH_CRIU, TRITMESH_STOP_AT: `freeze:${RESTORE}` });
    // Once in the middle of the files, and then in every handshake.
    line.cutAfter(CUT_BYTES, ...Array.from({ length: 500 }, () => 1));
    const beta = await move.toBeta();
    await move.expectRefused(beta, /its inputs could not be fetched: https:/);
    expect(line.connections()).toBeGreaterThan(2);
  });

  it.each(shorten([CUT, TURNED]))(
    '$title on its way home is refused by its owner',
    { timeout: PATIENT_MS },
    async ({ harm, reason }) => {
      const scene = await openTestScene();
      const ear = await scene.ear();
      // It is overloaded: its job runs elsewhere.
      const alpha = await scene.node('alpha', 'fixed:0.9', WITH_CRIU);
      const beta = await scene.node('beta', 'fixed:0.1', { ...WITH_CRIU, TRITMESH_STOP_AT: 'freeze:receiver:share' });
      tellIfFailed([alpha, beta], ear);
      await allUp(ear, ['alpha', 'beta']);
      const item = await submit(scene, ear, alpha, 'beta');
      const gamma = await scene.node('gamma', 'fixed:0.1', { ...WITH_CRIU, TRITMESH_STOP_AT: `freeze:${RESTORE}` });
      await allUp(ear, ['gamma']);
      await ear.publish('tritmesh/node/alpha/request/migrate', item);
      await says(beta, 'stands still at receiver:share');
      const [epoch = ''] = readdirSync(join(beta.stateDir, 'guests/alpha', item));
      harm(findPages(join(beta.stateDir, 'guests/alpha', item, epoch, 'image')));
      beta.signal('SIGCONT');
      const stayed = await ear.next((one) => one.topic.endsWith('/event') && one.text.includes('"item_stayed"'));
      expect(fields(stayed)).toMatchObject({ item, node: 'beta', reason: expect.stringMatching(reason) });
      await expectCounted(scene, ear, alpha, item, { receiver: 'beta', hops: 0 });
      expect(ear.heard.some(({ topic }) => topic.endsWith(`/${item}/claim/gamma`))).toBe(false);
      expect(gamma.output()).not.toContain(RESTORE);
    },
  );
});

/** A job on its owner, alpha, that may move to beta. */
interface Move {
  readonly alpha: NodeProcess;
  readonly ear: BusListener;
  readonly item: string;
  /** Starts beta and requests the move. */
  toBeta(): Promise<NodeProcess>;
  /** Waits until beta has refused the image for this reason and the original has run to its end. */
  expectRefused(beta: NodeProcess, reason: RegExp): Promise<void>;
  expectEnd(what: Readonly<Record<string, unknown>>): Promise<void>;
}

async function openMove(
  alphaHas: Readonly<Record<string, string>>,
  betaHas: Readonly<Record<string, string>>,
): Promise<Move> {
  const scene = await openTestScene();
  const ear = await scene.ear();
  const alpha = await scene.node('alpha', 'fixed:0.5', { ...WITH_CRIU, ...alphaHas });
  const nodes = [alpha];
  tellIfFailed(nodes, ear);
  await allUp(ear, ['alpha']);
  const item = await submit(scene, ear, alpha, 'alpha');
  const expectEnd = (what: Readonly<Record<string, unknown>>): Promise<void> =>
    expectCounted(scene, ear, alpha, item, what);
  return {
    alpha,
    ear,
    item,
    expectEnd,
    toBeta: async () => {
      const beta = await scene.node('beta', 'fixed:0.1', { ...WITH_CRIU, ...betaHas });
      nodes.push(beta);
      await allUp(ear, ['beta']);
      await ear.publish('tritmesh/node/alpha/request/migrate', item);
      return beta;
    },
    expectRefused: async (beta, reason) => {
      const refused = await ear.next((one) => one.topic.endsWith(`/${item}/result/beta`));
      expect(fields(refused)).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(reason) });
      const stayed = await ear.next((one) => one.topic.endsWith('/event') && one.text.includes('"item_stayed"'));
      expect(fields(stayed)).toMatchObject({ item, node: 'alpha' });
      await expectEnd({ receiver: 'alpha', hops: 0 });
      expect(beta.output()).not.toContain(RESTORE);
    },
  };
}

async function openTestScene(): Promise<Scene> {
  const [first] = BROKERS;
  if (first === undefined) throw new Error('no broker');
  const broker = await first.open();
  onTestFinished(() => broker.close());
  const scene = openScene(broker.url);
  onTestFinished(() => scene.end());
  return scene;
}

/** Submits the counter and waits until it counts there. */
async function submit(scene: Scene, ear: BusListener, owner: NodeProcess, where: string): Promise<string> {
  const command = counter?.argv(LINES, 7, 10_000) ?? [];
  const flags = ['--no-wait', '--json', '--migrate', 'checkpoint'];
  const submitted = await scene.command(owner, ['run', ...flags, '--', ...command]);
  expect(submitted.code, submitted.stderr).toBe(0);
  const { item } = JSON.parse(submitted.stdout) as { readonly item: string };
  await ear.next((one) => one.topic.endsWith(`/${item}/log/${where}`));
  return item;
}

/** Waits for the end; the count has no gap and no repetition. */
async function expectCounted(
  scene: Scene,
  ear: BusListener,
  owner: NodeProcess,
  item: string,
  what: Readonly<Record<string, unknown>>,
): Promise<void> {
  const end = fields(await ear.next(isStatus(item, 'done', 'failed', 'lost', 'cancelled')));
  expect(end).toMatchObject({ phase: 'done', exit_code: 7, attempts: 1, ...what });
  const logs = await scene.command(owner, ['logs', item]);
  expect(findCountFault(logs.stdout, LINES)).toBeUndefined();
}

/** The file with the memory pages of an image. */
function findPages(image: string): string {
  const pages = join(image, 'pages-1.img');
  expect(statSync(pages).size).toBeGreaterThan(4096);
  return pages;
}

function turnByte(path: string): void {
  const at = Math.floor(statSync(path).size / 2);
  const byte = Buffer.alloc(1);
  const file = openSync(path, 'r+');
  readSync(file, byte, 0, 1, at);
  byte.writeUInt8(byte.readUInt8(0) ^ 1);
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

function cutShort(path: string): void {
  truncateSync(path, statSync(path).size - 4096);
}

async function says(node: NodeProcess, text: string): Promise<void> {
  await expect.poll(() => node.output(), { timeout: PATIENT_MS, interval: 50 }).toContain(text);
}

/** Loopback has several addresses: a node listens on one and advertises the other, on which the proxy listens. */
const [BEHIND, BEFORE] = ['127.0.0.1', '127.0.0.2'];
/** After the handshake and the manifest, bytes. */
const CUT_BYTES = 30_000;

async function startLine(): Promise<FaultProxy> {
  const line: FaultProxy = await startFaultProxy(() => line.port, BEFORE);
  onTestFinished(() => line.close());
  return line;
}

function behind({ port }: FaultProxy): Readonly<Record<string, string>> {
  return {
    TRITMESH_TRANSFER_LISTEN: BEHIND,
    TRITMESH_TRANSFER_PORT: String(port),
    TRITMESH_TRANSFER_ADVERTISE: BEFORE,
  };
}
