/**
 * Two machines with one identity, and a state directory that was restored from a backup: one of the two nodes stops and
 * names the other, and no job is started by both, or again.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BROKERS, takeTurns, type TestBroker } from '../support/brokers.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  pretend,
  upAfter,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';
import { submitWitness, type Witness } from '../support/witness.js';

interface Stage {
  readonly broker: TestBroker;
  readonly scene: Scene;
  readonly ear: BusListener;
  readonly alpha: NodeProcess;
  /** A once item that runs on gamma until it is released. */
  readonly job: Witness;
}

/** No lease ends while a broker is down or a twin is searched for. */
const LONG = { TRITMESH_LEASE_LEASE_MS: '60000' };
const HERE = { ...pretend('first', 'a'), ...LONG };
const ELSEWHERE = { ...pretend('second', 'b'), ...LONG };

async function openStage(open: () => Promise<TestBroker>, env: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const broker = await open();
  onTestFinished(() => broker.close());
  const scene = openScene(broker.url);
  onTestFinished(() => scene.end());
  const ear = await scene.ear();
  const alpha = await scene.node('alpha', 'fixed:0.9', { ...HERE, ...env });
  await scene.node('gamma', 'fixed:0.1');
  await allUp(ear, ['alpha', 'gamma']);
  const job = await submitWitness(scene, ear, alpha, { retry: 'once', waits: true });
  await ear.next(isStatus(job.item, 'running'));
  return { broker, scene, ear, alpha, job };
}

async function copyOf(stateDir: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'tritmesh-copy-'));
  // A copy of a disk contains the socket, too, but `cp` of Node.js cannot copy it.
  await cp(stateDir, copy, { recursive: true, filter: (path) => !path.startsWith(join(stateDir, 'local')) });
  return copy;
}

/** Waits until a program has printed something. */
async function says(node: NodeProcess, text: string): Promise<void> {
  while (!node.output().includes(text)) await sleep(50);
}

async function endsOnce({ job }: Stage): Promise<void> {
  await job.letGo();
  expect(await job.settled()).toMatchObject({ phase: 'done', exit_code: 0, attempts: 1 });
  expect(await job.record()).toEqual(['start', 'end']);
}

describe.each(BROKERS)('a copy of a node on $name', ({ isThere, name, open }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);
  const onTurn = takeTurns(name);

  onTurn('that is started next to its original stops, and both name each other', async () => {
    const stage = await openStage(open);
    const { scene, ear, alpha } = stage;
    const stateDir = await copyOf(alpha.stateDir);
    const copy = await scene.node('alpha', 'fixed:0.9', ELSEWHERE, { stateDir });
    expect(await copy.ended()).toBe(2);
    expect(copy.output()).toMatch(/node alpha runs on first \(started .*This one stays off.*tritmesh reset-identity/);
    await says(alpha, 'a copy of this node was started on second (started');
    await ear.next((one) => one.topic.endsWith('alpha/state') && String(fields(one)['copy']).startsWith('second '));
    const status = await scene.command(alpha, ['status']);
    expect(status.stdout).toMatch(/alpha .*has a copy on second/);
    const doctor = await scene.command(alpha, ['doctor']);
    expect(doctor).toMatchObject({ code: 1 });
    expect(doctor.stdout).toMatch(/node alpha +broken +online; a copy of it was started on second/);
    expect(ear.heard.some((one) => one.topic.endsWith('alpha/availability') && one.text === 'offline')).toBe(false);
    await endsOnce(stage);
  });

  onTurn('that was started while the broker was down: only one of the two continues', async () => {
    const stage = await openStage(open);
    const { broker, scene, ear, alpha } = stage;
    await alpha.kill();
    const stateDir = await copyOf(alpha.stateDir);
    await broker.stop();
    const secondOfFirst = Math.floor(Date.now() / 1000);
    await alpha.start(HERE);
    await says(alpha, 'not connected to the broker');
    // The later one has the higher boot.
    while (Math.floor(Date.now() / 1000) <= secondOfFirst + 2) await sleep(100);
    const from = ear.heard.length;
    const copy = await scene.node('alpha', 'fixed:0.9', HERE, { stateDir });
    await says(copy, 'not connected to the broker');
    await broker.start();
    expect(await copy.ended()).toBe(2);
    expect(copy.output()).toContain('This one stays off');
    await upAfter(ear, 'alpha', from);
    expect(alpha.output()).not.toContain('This one stays off');
    await says(alpha, 'a copy of this node was started on first');
    await endsOnce(stage);
  });
});

describe.each(BROKERS)('a state directory that was restored from a backup on $name', ({ isThere, name, open }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);
  const onTurn = takeTurns(name);

  for (const { what, env, phase, reason } of [
    { what: 'ended since is ended', env: {}, phase: 'done', reason: 'exit code 0; this state directory is older' },
    {
      what: 'is not known to anybody any more waits for a person',
      env: { TRITMESH_STATUS_KEPT_MS: '0' },
      phase: 'lost',
      reason: 'it may have been started since, and must run only once',
    },
  ]) {
    onTurn(`a job to run once that ${what}`, async () => {
      const stage = await openStage(open, env);
      const { ear, alpha, job } = stage;
      await alpha.kill();
      const backup = await copyOf(alpha.stateDir);
      let from = ear.heard.length;
      await alpha.start();
      await upAfter(ear, 'alpha', from);
      await job.letGo();
      expect(await job.settled()).toMatchObject({ phase: 'done' });
      if (phase === 'lost') await ear.next((one) => one.topic.endsWith(`${job.item}/status`) && one.text === '');
      alpha.signal('SIGTERM');
      await alpha.ended();
      await rm(alpha.stateDir, { recursive: true });
      await cp(backup, alpha.stateDir, { recursive: true });
      await rm(backup, { recursive: true });
      from = ear.heard.length;
      await alpha.start();
      const status = await ear.next(
        (one) => one.topic.endsWith(`${job.item}/status`) && one.text !== '' && ear.heard.lastIndexOf(one) >= from,
      );
      expect(fields(status)).toMatchObject({ phase });
      expect(fields(status)['reason']).toContain(reason);
      await says(alpha, 'the journal is older than what this node has published before');
      await upAfter(ear, 'alpha', from);
      expect(await job.record()).toEqual(['start', 'end']);
    });
  }
});

it('a state directory on another machine waits for the broker, and continues if no twin answers', async () => {
  const open = BROKERS[0]?.open;
  if (open === undefined) throw new Error('there is a broker');
  const stage = await openStage(open);
  const { broker, ear, alpha } = stage;
  await alpha.kill();
  await broker.stop();
  await alpha.start(ELSEWHERE);
  await says(alpha, 'Nothing is started until that is known');
  expect(alpha.output()).toContain('was last used on first and may be a copy; the broker cannot be asked');
  const from = ear.heard.length;
  await broker.start();
  await upAfter(ear, 'alpha', from);
  expect(alpha.output()).toContain('this is another machine; no node answered from there, so it continues here');
  await endsOnce(stage);
});
