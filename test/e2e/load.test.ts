/**
 * Many items: a burst that is submitted at once with a slow subscriber, and a soak in which nothing may grow. Sizes are
 * for a quick run; TRITMESH_TEST_LONG=1 uses the promised ones.
 */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listProcessesBelow } from '../support/processes-below.js';
import { requirement } from '../support/requirements.js';
import { BROKERS, SHORT_QUEUES, type TestBroker } from '../support/brokers.js';
import { listJournal, openPair, type Mark, type Outcome, type Pair } from '../support/many-items.js';
import { openScene, type Scene } from '../support/programs.js';

const isLong = process.env['TRITMESH_TEST_LONG'] === '1';
const BURST = isLong ? 5000 : 400;
const SOAK = isLong ? 10_000 : 800;
/** Ended items that an owner always keeps. */
const KEPT_MAX = 1000;
/** Timeout for a busy machine, ms. */
const PATIENCE_MS = isLong ? 1_800_000 : 300_000;
const hasProc = requirement('/proc', existsSync('/proc/self/fd'), 'run it on Linux');

let broker: TestBroker;
let scene: Scene;
let pair: Pair;

function openAll(open: () => Promise<TestBroker>): void {
  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    pair = await openPair(scene);
  });
  afterEach(async () => {
    await pair.end();
    await scene.end();
    await broker.close();
  });
}

describe.skipIf(!hasProc).each(SHORT_QUEUES)('a burst on $name', ({ isThere, open }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);
  openAll(open);

  it(
    `of ${BURST} items is settled beside a slow subscriber`,
    async () => {
      const slow = await openSlowSubscriber(Number(new URL(broker.url).port));
      const outcome = await pair.submit(BURST, BURST);
      slow.close();
      expectAllOnce(outcome, BURST);
    },
    PATIENCE_MS,
  );
});

describe.skipIf(!hasProc).each(BROKERS)('a soak on $name', ({ isThere, open, name }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);
  openAll(open);

  it(
    `of ${SOAK} items grows nothing and leaves nothing`,
    async () => {
      const outcome = await pair.submit(SOAK, 20);
      if (isLong)
        process.stdout.write(`${name}:\n${tell('owner', outcome.owner)}\n${tell('receiver', outcome.receiver)}\n`);
      expectAllOnce(outcome, SOAK);
      expectFlat(outcome.owner);
      expectFlat(outcome.receiver);
      await expectNothingLeft();
    },
    PATIENCE_MS,
  );
});

/** Each item ended once, as done, and its command was started once: each start wrote a line. */
function expectAllOnce({ starts, phases, again }: Outcome, items: number): void {
  expect(phases).toEqual({ done: items });
  expect(again).toBe(0);
  const twice = readdirSync(starts).filter((item) => readFileSync(join(starts, item), 'utf8') !== '\n');
  expect(twice).toEqual([]);
  expect(readdirSync(starts)).toHaveLength(items);
}

/**
 * Memory for an item that is still known, KiB; for garbage that is not collected yet; and for the noise of
 * measurements.
 */
const ITEM_KIB = 12;
const HEAP_NOISE_KIB = 4096;
const RSS_NOISE_KIB = 48 * 1024;

/** Compares the last third with the first. */
function expectFlat(marks: readonly Mark[]): void {
  const [first, last] = [marks.slice(0, 3), marks.slice(-3)];
  const story = tell('marks', marks);
  expect(marks).toHaveLength(10);
  const grown = (key: keyof Mark): number => mean(last, key) - mean(first, key);
  const items = Math.max(0, grown('kept')) * ITEM_KIB;
  expect(grown('heap_kib'), story).toBeLessThan(items + HEAP_NOISE_KIB);
  expect(grown('rss_kib'), story).toBeLessThan(items + RSS_NOISE_KIB);
  // A wave of items has this many timers and sockets at its peak, and none at its end.
  for (const key of ['handles', 'timers'] as const) expect(grown(key), story).toBeLessThan(30);
  expect(grown('children'), story).toBeLessThan(6);
  expect(grown('listeners'), story).toBe(0);
  expect(marks.at(-1)?.warnings, story).toBe(0);
}

function mean(marks: readonly Mark[], key: keyof Mark): number {
  return marks.reduce((sum, mark) => sum + mark[key], 0) / marks.length;
}

function tell(who: string, marks: readonly Mark[]): string {
  return [who, ...marks.map((mark) => JSON.stringify(mark))].join('\n');
}

/** Guests are removed shortly after they are settled. Of settled items only those within the retention are left. */
async function expectNothingLeft(): Promise<void> {
  const { ownerDir, receiverDir } = pair;
  const guests = join(receiverDir, 'guests', 'alpha');
  await expect.poll(() => listEntries(guests), { timeout: 20_000, interval: 200 }).toEqual([]);
  expect(listProcessesBelow(guests)).toEqual([]);
  await pair.end();
  expect((await listJournal(receiverDir)).filter((key) => key.startsWith('guest/'))).toEqual([]);
  const items = (await listJournal(ownerDir)).filter((key) => key.startsWith('item/'));
  expect(listEntries(join(ownerDir, 'items')).filter((item) => !items.includes(`item/${item}`))).toEqual([]);
  // Retention runs once a minute; this many may have been settled since.
  if (!isLong) expect(items.length).toBeLessThanOrEqual(SOAK);
  else expect(items.length).toBeLessThanOrEqual(KEPT_MAX + SOAK / 2);
}

function listEntries(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** Subscribes to everything with QoS 1, reads a little from time to time, and acknowledges nothing. */
async function openSlowSubscriber(port: number): Promise<{ close(): void }> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const id = Buffer.from('slow');
  socket.write(
    Buffer.from([0x10, 12 + id.length - 2 + 2, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 0, 0, id.length, ...id]),
  );
  await once(socket, 'data');
  socket.write(Buffer.from([0x82, 6, 0, 1, 0, 1, 0x23, 1]));
  await once(socket, 'data');
  socket.pause();
  const reading = setInterval(() => void socket.read(64), 100);
  return {
    close: () => {
      clearInterval(reading);
      socket.destroy();
    },
  };
}
