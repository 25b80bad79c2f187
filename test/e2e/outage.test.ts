/**
 * The broker is down for many leases while jobs run away from their owner: all of them continue, end once and return
 * their results. If the two nodes cannot call each other, that is reported beforehand.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbedded, type MortalBroker } from '../support/broker-processes.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';

const LEASE = { TRITMESH_LEASE_LEASE_MS: '4000', TRITMESH_LEASE_MARGIN_MS: '2000' };
const AWAY_MS = 60_000;
const JOBS = 20;
/** Commands at a time; each one starts a program. */
const AT_ONCE = 5;

let broker: MortalBroker;
let scene: Scene;
let ear: BusListener;
let alpha: NodeProcess;

async function open(variables: Readonly<Record<string, string>>): Promise<void> {
  ear = await scene.ear();
  const all = { ...LEASE, ...variables };
  [alpha] = await Promise.all([
    scene.node('alpha', 'fixed:0.9', all),
    scene.node('beta', 'fixed:0.1', { ...all, TRITMESH_SLOTS: String(JOBS), TRITMESH_TRIT_MINUS_HOLD_MS: '0' }),
  ]);
  await allUp(ear, ['alpha', 'beta']);
}

beforeEach(async () => {
  broker = await openEmbedded();
  scene = openScene(broker.url);
});
afterEach(async () => {
  await scene.end();
  await broker.close();
});

interface Job {
  readonly item: string;
  readonly code: number;
  record(): readonly string[];
}

async function submit(directory: string, index: number): Promise<Job> {
  const file = join(directory, String(index));
  const code = index % 5;
  // From a few seconds to longer than the outage.
  const seconds = 5 + index * 3.5;
  const script = `echo start >> ${file}; sleep ${seconds}; echo end >> ${file}; exit ${code}`;
  const retry = index % 2 === 0 ? 'once' : 'rerun';
  const ended = await scene.command(alpha, ['run', '--no-wait', '--retry', retry, '--', 'sh', '-c', script]);
  expect(ended).toMatchObject({ code: 0 });
  const record = (): readonly string[] => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []);
  return { item: ended.stdout.trim(), code, record };
}

describe('a broker that is down for fifteen leases', () => {
  it('ends no job that runs elsewhere, and causes no second start', { timeout: 240_000 }, async () => {
    await open({});
    const directory = await scene.directory();
    const jobs: Job[] = [];
    // The longest first, so that all of them run when the broker stops.
    for (let index = JOBS - 1; index >= 0; index -= AT_ONCE) {
      const some = Array.from({ length: AT_ONCE }, (_, at) => submit(directory, index - at));
      jobs.push(...(await Promise.all(some)));
    }
    for (const job of jobs) await expect.poll(job.record, { timeout: 30_000 }).toContain('start');
    await broker.kill();
    await sleep(AWAY_MS);
    for (const job of jobs) expect(job.record().filter((line) => line === 'start')).toHaveLength(1);
    await broker.start();
    for (const job of jobs) {
      const status = await ended(job);
      expect(status, JSON.stringify(status)).toMatchObject({
        phase: 'done',
        exit_code: job.code,
        attempts: 1,
        epoch: 1,
      });
      expect(job.record()).toEqual(['start', 'end']);
    }
  });
});

async function ended({ item }: Job): Promise<Readonly<Record<string, unknown>>> {
  return fields(await ear.next(isStatus(item, 'done', 'failed', 'cancelled', 'lost')));
}

describe('two nodes that cannot call each other', () => {
  it('are reported by run and by doctor: an outage would end the job', { timeout: 120_000 }, async () => {
    await open({ TRITMESH_TRANSFER_ADVERTISE: '127.0.0.1:1' });
    const run = scene.command(alpha, ['run', '--', 'sleep', '45']);
    await ear.next((one) => one.text.includes('"direct":false') && one.topic.endsWith('/status'));
    const doctor = await scene.command(alpha, ['doctor', '--json']);
    expect(JSON.parse(doctor.stdout)).toContainEqual(
      expect.objectContaining({ what: 'direct path', verdict: 'missing' }),
    );
    const { code, stderr } = await run;
    expect(code).toBe(0);
    expect(stderr).toContain('neither alpha nor beta can call the other at its transfer port');
  });
});
