/**
 * A machine whose host name changes while its node has work in progress, and a node that is renamed on purpose: none of
 * its work runs twice, and nothing is left under the old id.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BROKERS, takeTurns } from '../support/brokers.js';
import { ageStateDirectory } from '../support/journal-edit.js';
import {
  allUp,
  cleanEnvironment,
  isStatus,
  MAIN,
  openScene,
  pretend,
  QUICK,
  runProgram,
  upAfter,
  type BusListener,
  type Ended,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';
import { submitWitness } from '../support/witness.js';

/** A lease in which a killed owner is started again, even on a slow machine. */
function hostOf(name: string): Readonly<Record<string, string>> {
  return { ...pretend(name), TRITMESH_LEASE_LEASE_MS: '60000' };
}

interface Stage {
  readonly scene: Scene;
  readonly ear: BusListener;
  /** Named after its host, and PLUS: its work runs elsewhere. */
  readonly owner: NodeProcess;
}

async function openStage(name: string, ratio = 'fixed:0.9'): Promise<Stage> {
  const broker = await BROKERS.find((one) => one.name === name)?.open();
  if (broker === undefined) throw new Error(`no broker ${name}`);
  onTestFinished(() => broker.close());
  const scene = openScene(broker.url);
  onTestFinished(() => scene.end());
  const ear = await scene.ear();
  const owner = await scene.node('alpha', ratio, hostOf('alpha'), { unnamed: true });
  await scene.node('gamma', 'fixed:0.1');
  await allUp(ear, ['alpha', 'gamma']);
  return { scene, ear, owner };
}

/** Runs a tritmesh command with a state directory only, without the node's id. */
function commandOf({ scene, owner }: Stage, ...args: readonly string[]): Promise<Ended> {
  const [command = '', ...rest] = args;
  return runProgram(process.execPath, [
    MAIN,
    command,
    '--broker',
    scene.broker,
    '--state-dir',
    owner.stateDir,
    ...rest,
  ]);
}

async function readRecord(stateDir: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(stateDir, 'identity', 'node.json'), 'utf8')) as Record<string, unknown>;
}

/** The retained topics of a node, as a new client receives them. */
async function retainedOf({ scene }: Stage, id: string): Promise<readonly string[]> {
  const late = await scene.ear([`tritmesh/node/${id}/#`, `tritmesh/work/${id}/#`, 'tritmesh/node/gamma/info']);
  await late.next((one) => one.topic === 'tritmesh/node/gamma/info');
  return late.heard.filter((one) => one.retained && one.topic.includes(`/${id}/`)).map((one) => one.topic);
}

describe.each(BROKERS)('on $name', ({ name, isThere }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);

  const onTurn = takeTurns(name);

  for (const { what, age } of [
    { what: 'as this version left it', age: async () => undefined },
    { what: 'as eb17494 left it', age: ageStateDirectory },
  ]) {
    onTurn(`a job to run once runs once when its owner’s host is renamed: a directory ${what}`, async () => {
      const stage = await openStage(name);
      const { scene, ear, owner } = stage;
      const job = await submitWitness(scene, ear, owner, { retry: 'once', waits: true });
      await ear.next(isStatus(job.item, 'running'));
      await owner.kill();
      await age(owner.stateDir);
      const from = ear.heard.length;
      await owner.start(hostOf('omega'));
      await upAfter(ear, 'alpha', from);
      await job.letGo();
      expect(await job.settled()).toMatchObject({ phase: 'done', exit_code: 0, attempts: 1 });
      expect(await job.record()).toEqual(['start', 'end']);
      expect(owner.output()).toContain('this state directory belongs to node alpha');
      expect(owner.output()).toContain('the host name gives omega now');
      expect(ear.heard.filter((one) => one.topic.includes('/omega/'))).toEqual([]);
      expect(await readRecord(owner.stateDir)).toMatchObject({ id: 'alpha', base: 'tritmesh', from_host: true });
    });
  }

  onTurn('a running node is renamed when its work is done, and clears its old topics', async () => {
    const stage = await openStage(name);
    const { scene, ear, owner } = stage;
    const job = await submitWitness(scene, ear, owner, { retry: 'once', waits: true });
    await ear.next(isStatus(job.item, 'running'));
    const renaming = commandOf(stage, 'rename', 'omega', '--json');
    await ear.next((one) => one.topic.endsWith('alpha/state') && one.text.includes('"accepting":false'));
    const refused = await commandOf(stage, 'run', '--', 'true');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('is being renamed to omega');
    await job.letGo();
    const renamed = await renaming;
    expect(renamed.code).toBe(0);
    expect(JSON.parse(renamed.stdout)).toEqual({ from: 'alpha', to: 'omega', running: true, hints: [] });
    expect(renamed.stderr).toContain(`${job.item} running at gamma`);
    expect(await job.record()).toEqual(['start', 'end']);
    await allUp(ear, ['omega']);
    expect(await retainedOf(stage, 'alpha')).toEqual([]);
    expect(await readRecord(owner.stateDir)).toMatchObject({ id: 'omega', former: ['alpha'], from_host: false });
    const ran = await commandOf(stage, 'run', '--', 'sh', '-c', 'echo $TRITMESH_OWNER');
    expect(ran).toMatchObject({ code: 0, stdout: 'omega\n' });
  });
});

describe('a state directory', () => {
  it('is refused for another id and for another mesh, with what to do instead', async () => {
    const stage = await openStage('the embedded broker');
    const { scene, ear, owner } = stage;
    const job = await submitWitness(scene, ear, owner, { retry: 'once', waits: true });
    await ear.next(isStatus(job.item, 'running'));
    await owner.kill();
    const named = await commandOf(stage, 'node', '--id', 'omega');
    expect(named).toMatchObject({ code: 2, stdout: '' });
    expect(named.stderr).toContain(
      'id "omega" (--id): this state directory belongs to node "alpha"; rename it with "tritmesh rename omega"',
    );
    const moved = await commandOf(stage, 'node', '--base', 'elsewhere');
    expect(moved).toMatchObject({ code: 2, stdout: '' });
    expect(moved.stderr).toContain(
      'base "elsewhere" (--base): 1 items of the mesh below "tritmesh" are not settled here',
    );
    const renamed = await commandOf(stage, 'rename', 'omega');
    expect(renamed).toMatchObject({ code: 1, stdout: '' });
    expect(renamed.stderr).toContain(`alpha has work that others know by this id: ${job.item} (`);
    await owner.start();
    await job.letGo();
    expect(await job.settled()).toMatchObject({ phase: 'done', attempts: 1 });
  });

  it('is renamed in place if its node does not run, and the old id in a flag is understood', async () => {
    const stage = await openStage('the embedded broker', 'fixed:0.1');
    const { ear, owner } = stage;
    owner.signal('SIGTERM');
    await owner.ended();
    const taken = await commandOf(stage, 'rename', 'gamma');
    expect(taken).toMatchObject({ code: 2, stdout: '' });
    expect(taken.stderr).toContain('id "gamma" is taken');
    const renamed = await commandOf(stage, 'rename', 'omega');
    expect(renamed).toEqual({ code: 0, stdout: 'alpha will be omega at its next start\n', stderr: '' });
    expect(await retainedOf(stage, 'alpha')).toEqual([]);
    await owner.start({ ...hostOf('alpha'), TRITMESH_ID: 'alpha' });
    await allUp(ear, ['omega']);
    expect(owner.output()).toContain('alpha (TRITMESH_ID) was renamed to omega and keeps that id');
  });

  it('keeps its id if the user who requested another one aborts', async () => {
    const stage = await openStage('the embedded broker');
    const { scene, ear, owner } = stage;
    const job = await submitWitness(scene, ear, owner, { retry: 'once', waits: true });
    await ear.next(isStatus(job.item, 'running'));
    const args = [MAIN, 'rename', 'omega', '--broker', scene.broker, '--state-dir', owner.stateDir];
    const asking = spawn(process.execPath, args, { env: { ...cleanEnvironment(), ...QUICK }, stdio: 'ignore' });
    await ear.next((one) => one.topic.endsWith('alpha/state') && one.text.includes('"accepting":false'));
    const from = ear.heard.length;
    asking.kill('SIGINT');
    expect(await once(asking, 'exit')).toEqual([130, null]);
    await ear.next(
      (one) =>
        one.topic.endsWith('alpha/state') &&
        one.text.includes('"accepting":true') &&
        ear.heard.lastIndexOf(one) >= from,
    );
    await job.letGo();
    expect(await job.settled()).toMatchObject({ phase: 'done', attempts: 1 });
    expect(await readRecord(owner.stateDir)).toMatchObject({ id: 'alpha', former: [] });
  });
});
