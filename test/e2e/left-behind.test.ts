/**
 * A job that leaves a process running, which goes on writing: the job is done at once, with what had been written. A
 * process that certainly belongs to it ends with it; any other one continues, cut off from the files.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readStart } from '../../src/run/processes/process-table.js';
import { listProcessesBelow } from '../support/processes-below.js';
import { requirement } from '../support/requirements.js';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import { allUp, openScene, type BusListener, type NodeProcess, type Scene } from '../support/programs.js';

const isLinux = requirement('Linux', process.platform === 'linux', 'run the tests on Linux');

describe.skipIf(!isLinux).each(BROKERS)('a daemon that a job leaves on $name', ({ isThere, open }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;
  let alpha: NodeProcess;
  let home: string;

  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    ear = await scene.ear();
    home = await scene.directory();
  });
  afterEach(async () => {
    // A daemon that was not ended waits for this file, in a directory that the scene removes.
    writeFileSync(join(home, 'end'), '');
    await expect.poll(() => listProcessesBelow(home), { timeout: 20_000 }).toEqual([]);
    await scene.end();
    await broker.close();
  });

  async function startNodes(owner: string, other: string): Promise<void> {
    alpha = await scene.node('alpha', owner);
    await scene.node('beta', other);
    await allUp(ear, ['alpha', 'beta']);
  }

  /** Runs a job whose daemon writes endlessly to both streams and to an output. */
  async function runWith(how: string): Promise<{ readonly pid: number; readonly stderr: string }> {
    const daemon = `echo \\$\\$ > ${home}/pid; while [ ! -e ${home}/end ]; do echo more; echo more >&2; echo more >> made; done`;
    const job = `echo first; ${how} sh -c "${daemon}" & while [ ! -s made ]; do sleep 0.05; done; sleep 0.5; exit 7`;
    const ended = await scene.command(alpha, ['run', '--out', 'made', '--', 'sh', '-c', job], home);
    expect(ended.code, ended.stderr).toBe(7);
    expect(ended.stdout).toMatch(/^first\n(?:more\n)+$/);
    expect(readFileSync(join(home, 'made'), 'utf8')).toMatch(/^(?:more\n)+$/);
    return { pid: Number(readFileSync(join(home, 'pid'), 'utf8')), stderr: ended.stderr };
  }

  it.each([
    ['elsewhere', 'fixed:0.9', 'fixed:0.1'],
    ['at its owner', 'fixed:0.1', 'fixed:0.9'],
  ])('ends with the job %s, which says so', async (_where, owner, other) => {
    await startNodes(owner, other);
    const { pid, stderr } = await runWith('setsid nohup');
    expect(stderr).toMatch(
      new RegExp(String.raw`tritmesh: ended \d process(?:es)? that the job left running: .*\(${pid}\)`),
    );
    expect(readStart(pid)).toBeUndefined();
  });

  it.each([
    ['elsewhere', 'fixed:0.9', 'fixed:0.1'],
    ['at its owner', 'fixed:0.1', 'fixed:0.9'],
  ])(
    'goes on without the mark when the job was %s, and writes no more into what came home',
    async (_where, owner, other) => {
      await startNodes(owner, other);
      const { pid, stderr } = await runWith('env -u TRITMESH_RUN_MARK setsid');
      expect(stderr).toMatch(new RegExp(String.raw`tritmesh: left alone, and cut off from its files: .*\(${pid}\)`));
      expect(readStart(pid)).toBeDefined();
      const size = statSync(join(home, 'made')).size;
      writeFileSync(join(home, 'end'), '');
      await expect.poll(() => readStart(pid)).toBeUndefined();
      expect(statSync(join(home, 'made')).size).toBe(size);
      expect(existsSync(join(home, 'made.tritmesh-cut'))).toBe(false);
    },
  );
});
