/**
 * Many items: a burst that is submitted at once while somebody listens slowly, and a soak in which nothing may grow. Sizes are
 * for a quick run; TRITMESH_TEST_LONG=1 takes those of the promise.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listProcessesBelow } from '../processes-below.js';
import { requirement } from '../requirements.js';
import { BROKERS, type TestBroker } from './brokers.js';
import { openScene, type NodeProcess, type Scene } from './programs.js';

const PROGRAM = fileURLToPath(new URL('../fixtures/submit-many.mjs', import.meta.url));
const isLong = process.env['TRITMESH_TEST_LONG'] === '1';
const BURST = isLong ? 5000 : 400;
const SOAK = isLong ? 10_000 : 800;
/** As a busy machine may need, ms. */
const PATIENCE_MS = isLong ? 900_000 : 120_000;
const hasProc = requirement('/proc', existsSync('/proc/self/fd'), 'run it on Linux');

/** What the program tells at the end of each tenth, with the same of the receiver. */
interface Mark {
  readonly settled: number;
  readonly rss_kib: number;
  readonly handles: number;
}

interface Outcome {
  readonly owner: readonly Mark[];
  readonly receiver: readonly Mark[];
  readonly phases: Readonly<Record<string, number>>;
  readonly again: number;
  readonly stateDir: string;
}

describe.skipIf(!hasProc).each(BROKERS)('many items on $name', ({ isThere, open }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);
  let broker: TestBroker;
  let scene: Scene;
  let beta: NodeProcess;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    beta = await scene.node('beta', 'fixed:0.1', { TRITMESH_SLOTS: '4', TRITMESH_LEASE_LEASE_MS: '60000' });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await end(child);
    await scene.end();
    await broker.close();
  });

  async function submitMany(items: number, wave: number): Promise<Outcome> {
    const stateDir = await scene.directory();
    await mkdir(join(stateDir, 'starts'));
    const child = spawn(process.execPath, [PROGRAM, broker.url, stateDir, String(items), String(wave)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const marks = { owner: [] as Mark[], receiver: [] as Mark[] };
    for await (const line of createInterface({ input: child.stdout })) {
      const told = JSON.parse(line) as Mark | { readonly phases: Record<string, number>; readonly again: number };
      if ('phases' in told) return { ...marks, ...told, stateDir };
      marks.owner.push(told);
      marks.receiver.push({ settled: told.settled, ...measure(beta.pid) });
    }
    throw new Error('the owner ended before its items');
  }

  it(
    `settles each of ${BURST} items that are submitted at once, beside a slow subscriber`,
    async () => {
      const slow = await openSlowSubscriber(Number(new URL(broker.url).port));
      const outcome = await submitMany(BURST, BURST);
      slow.close();
      expectAllOnce(outcome, BURST);
    },
    PATIENCE_MS,
  );

  it(
    `grows nothing over ${SOAK} items`,
    async () => {
      const outcome = await submitMany(SOAK, 20);
      expectAllOnce(outcome, SOAK);
      expectFlat(outcome.owner);
      expectFlat(outcome.receiver);
      // Guests are removed when they are settled, a moment after that.
      await expect
        .poll(() => listEntries(join(beta.stateDir, 'guests', 'alpha')), { timeout: 20_000, interval: 200 })
        .toEqual([]);
      expect(listProcessesBelow(join(beta.stateDir, 'guests'))).toEqual([]);
    },
    PATIENCE_MS,
  );
});

/** Each item ended once, as done, and its command was started once: each start writes a line. */
function expectAllOnce(outcome: Outcome, items: number): void {
  expect(outcome.phases).toEqual({ done: items });
  expect(outcome.again).toBe(0);
  const starts = join(outcome.stateDir, 'starts');
  const twice = readdirSync(starts).filter((item) => readFileSync(join(starts, item), 'utf8') !== '\n');
  expect(twice).toEqual([]);
  expect(readdirSync(starts)).toHaveLength(items);
}

/** The last third against the first: settled items are kept for a day, so memory may grow a little, handles not. */
function expectFlat(marks: readonly Mark[]): void {
  const [first, last] = [marks.slice(0, 3), marks.slice(-3)];
  expect(marks).toHaveLength(10);
  expect(mean(last, 'rss_kib'), JSON.stringify(marks)).toBeLessThan(mean(first, 'rss_kib') * 1.5);
  expect(mean(last, 'handles'), JSON.stringify(marks)).toBeLessThan(mean(first, 'handles') * 1.2 + 10);
}

function mean(marks: readonly Mark[], key: 'rss_kib' | 'handles'): number {
  return marks.reduce((sum, mark) => sum + mark[key], 0) / marks.length;
}

function measure(pid: number): Omit<Mark, 'settled'> {
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return { rss_kib: Number(rss?.[1]), handles: readdirSync(`/proc/${pid}/fd`).length };
}

function listEntries(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** Subscribes to everything with QoS 1, then reads a little now and then, and acknowledges nothing. */
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
