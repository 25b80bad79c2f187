/**
 * Owner, receiver and their jobs on a machine whose /proc/uptime fails or jumps, and a node that cannot open files for
 * a while: each job runs to its own end once, with its own exit code, and nothing is offered again.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import { canLie, openLyingProc, type Lie, type LyingProc } from '../support/lying-proc.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  upAfter,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';
import { hasFlock, submitWitness, type Witness, type WitnessOptions } from '../support/witness.js';

/** Longer than a lease and the owner's margin in QUICK, ms. */
const LIE_MS = 15_000;
const TEST_MS = 120_000;

const [embedded] = BROKERS;

const canTry = canLie && hasFlock();

/** Two nodes and their broker, for the tests of one `describe`. */
interface Mesh {
  readonly proc: LyingProc;
  readonly broker: TestBroker;
  readonly scene: Scene;
  readonly ear: BusListener;
  readonly alpha: NodeProcess;
  readonly beta: NodeProcess;
}

async function openMesh(variables: Readonly<Record<string, string>>): Promise<Mesh> {
  if (embedded === undefined) throw new Error('there is a broker');
  const proc = await openLyingProc();
  const broker = await embedded.open();
  const scene = openScene(broker.url);
  const ear = await scene.ear();
  const place = { within: proc.within };
  const alpha = await scene.node('alpha', 'fixed:0.9', variables, place);
  const beta = await scene.node('beta', 'fixed:0.1', { ...variables, TRITMESH_SLOTS: '4' }, place);
  await allUp(ear, ['alpha', 'beta']);
  return { proc, broker, scene, ear, alpha, beta };
}

async function closeMesh({ scene, broker, proc }: Mesh): Promise<void> {
  await scene.end();
  await broker.close();
  await proc.end();
}

async function submitAll({ scene, ear, alpha }: Mesh, kinds: readonly WitnessOptions[]): Promise<readonly Witness[]> {
  const jobs = await Promise.all(kinds.map((options) => submitWitness(scene, ear, alpha, { waits: true, ...options })));
  for (const job of jobs) {
    await ear.next((one) => isStatus(job.item, 'running')(one) && fields(one)['receiver'] === 'beta');
    await expect.poll(job.record, { timeout: 10_000 }).toEqual(['start']);
  }
  return jobs;
}

async function expectOnce({ ear }: Mesh, jobs: readonly Witness[]): Promise<void> {
  for (const job of jobs) {
    await job.letGo();
    expect(await job.settled()).toMatchObject({ phase: 'done', exit_code: 0, attempts: 1, epoch: 1 });
    expect(await job.record()).toEqual(['start', 'end']);
    const offers = ear.heard.filter((one) => one.topic.endsWith(`/${job.item}/offer`)).map(fields);
    expect(new Set(offers.map(({ epoch }) => epoch))).toEqual(new Set([1]));
  }
}

async function startAgain({ ear, beta }: Mesh): Promise<void> {
  const from = ear.heard.length;
  await beta.kill();
  await beta.start();
  await upAfter(ear, 'beta', from);
}

const KINDS: readonly WitnessOptions[] = [
  { retry: 'rerun', bytes: 1000 },
  { retry: 'once', bytes: 1000 },
  { retry: 'rerun', bytes: 1000, wallMs: 3_600_000 },
];

describe.skipIf(!canTry)('a mesh whose /proc/uptime lies', () => {
  let mesh: Mesh;
  beforeAll(async () => {
    mesh = await openMesh({});
  });
  afterAll(() => closeMesh(mesh));

  it.each<[Lie]>([['empty'], ['unreadable'], ['garbage'], ['ahead'], ['back'], ['frozen']])(
    'by being %s for 15 s ends nothing and offers nothing again',
    async (how) => {
      const { proc } = mesh;
      const early = await submitAll(mesh, KINDS);
      proc.lie(how);
      if (how === 'unreadable') expect(proc.read).toThrow(/Input\/output error/);
      await sleep(LIE_MS / 3);
      // A job that starts meanwhile.
      const late = await submitAll(mesh, [{ retry: 'rerun', bytes: 1000 }]);
      await sleep((2 * LIE_MS) / 3);
      const [first, ...rest] = early;
      if (first !== undefined) await expectOnce(mesh, [first]);
      proc.tellTruth();
      await sleep(3000);
      await expectOnce(mesh, [...rest, ...late]);
    },
    TEST_MS,
  );

  it('is reported once by each node', () => {
    for (const node of [mesh.alpha, mesh.beta]) {
      const lines = node.output().split('\n');
      const named = (sentence: RegExp): number => lines.filter((line) => sentence.test(line)).length;
      expect(named(/the clock since boot (?:cannot be read|returns no valid number)/), node.output()).toBe(1);
      expect(named(/the clock since boot jumped by/), node.output()).toBe(1);
    }
  });
});

describe.skipIf(!canTry)('a mesh whose /proc/uptime lies while a node starts again', () => {
  let mesh: Mesh;
  beforeAll(async () => {
    // On a slow machine a start takes longer than a short lease; the clock is off by ten days.
    mesh = await openMesh({ TRITMESH_LEASE_LEASE_MS: '60000' });
  });
  afterAll(() => closeMesh(mesh));

  it(
    'ends nothing',
    async () => {
      const jobs = await submitAll(mesh, KINDS);
      mesh.proc.lie('ahead');
      await startAgain(mesh);
      await sleep(8000);
      mesh.proc.tellTruth();
      await sleep(3000);
      await expectOnce(mesh, jobs);
    },
    TEST_MS,
  );

  it(
    'ends nothing, also of what was adopted, when nodes can open no file for a while',
    async () => {
      const { alpha, beta } = mesh;
      const jobs = await submitAll(mesh, KINDS);
      // Beta is not the parent of these jobs any more: it uses /proc to see whether they still run.
      await startAgain(mesh);
      for (let round = 0; round < 3; round += 1) {
        const limits = [alpha, beta].map(({ pid }) => ({ pid, limit: limitFiles(pid) }));
        await sleep(1500);
        // One job ends meanwhile: its end is read as soon as that is possible.
        await jobs[round]?.letGo();
        await sleep(500);
        for (const node of [alpha, beta]) expect(isUp(node.pid), node.output()).toBe(true);
        for (const { pid, limit } of limits) setLimit(pid, limit);
        await sleep(1500);
      }
      await expectOnce(mesh, jobs);
    },
    TEST_MS,
  );
});

/** Leaves a process no free descriptor; returns its former limit. */
function limitFiles(pid: number): string {
  const show = ['--pid', String(pid), '--nofile', '--output', 'SOFT', '--noheadings', '--raw'];
  const limit = execFileSync('prlimit', show, { encoding: 'utf8' }).trim();
  // The limit is the highest number of a new descriptor plus one: open descriptors still work.
  setLimit(pid, String(findFree(readdirSync(`/proc/${pid}/fd`).map(Number))));
  return limit;
}

function findFree(open: readonly number[]): number {
  let free = 0;
  while (open.includes(free)) free += 1;
  return free;
}

function setLimit(pid: number, limit: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}:`]);
}

function isUp(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
