/** What a process has in the kernel beside itself, and shares by a name or a number: found on real programs, before anything stops. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { preflightDump } from '../../src/checkpoint/preflight-dump.js';
import { tryReadProcStat } from '../../src/os/proc-stat.js';
import { requirement } from '../support/requirements.js';
import { isThere } from '../support/counters.js';

const canTry =
  requirement('gcc', isThere('gcc', '--version'), 'apt-get install gcc libc6-dev') &&
  requirement('ipcs on Linux', process.platform === 'linux' && isThere('ipcs', '-V'), 'apt-get install util-linux');

interface Program {
  readonly pid: number;
  /** What it made. */
  readonly id: string;
  end(): Promise<void>;
}

describe.skipIf(!canTry)('the preflight', () => {
  let directory: string;
  let program: string;
  const children: ChildProcess[] = [];
  const removals: (() => void)[] = [];

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'tritmesh-ipc-'));
    program = join(directory, 'ipc');
    const source = fileURLToPath(new URL('../fixtures/ipc.c', import.meta.url));
    execFileSync('gcc', ['-O1', '-o', program, source, '-lrt', '-pthread']);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  afterEach(async () => {
    for (const remove of removals.splice(0)) remove();
    for (const child of children.splice(0)) await end(child);
  });

  /** Starts `ipc …` and waits until it has what it wants. */
  async function start(...words: readonly string[]): Promise<Program> {
    const child = spawn(program, words, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const [, id = ''] = /^ready (\d+)$/.exec(line) ?? [];
    return { pid: child.pid ?? 0, id, end: () => end(child) };
  }

  /** Obstacles but for the pipe that leads here. */
  async function findObstacles(pid: number): Promise<readonly string[]> {
    const { obstacles } = await preflightDump({ pid, init: null, directory, knownAs: null });
    expect(tryReadProcStat(pid)?.state).toBe('S');
    return obstacles.filter((one) => !one.includes('a unix socket') && !one.includes('shares a pipe'));
  }

  const removeLater = (flag: '-m' | '-s' | '-q', id: string): void => {
    removals.push(() => execFileSync('ipcrm', [flag, id]));
  };
  const mine = (pid: number): string => `ipc (${pid})`;

  it('tells of a System V segment that is not attached', async () => {
    const { pid, id } = await start('segment');
    removeLater('-m', id);
    expect(await findObstacles(pid)).toEqual([`${mine(pid)} uses the System V shared memory segment ${id}`]);
    // It is no business of anybody who has not touched it.
    const name = `/tritmesh-${process.pid}`;
    removals.push(() => rmSync(`/dev/shm${name}`));
    expect(await findObstacles((await start('memory', name)).pid)).toEqual([]);
  });

  it('tells of one that another process made and this one has touched', async () => {
    const maker = await start('segment');
    removeLater('-m', maker.id);
    const { pid } = await start('touched', maker.id);
    await maker.end();
    expect(await findObstacles(pid)).toEqual([`${mine(pid)} uses the System V shared memory segment ${maker.id}`]);
  });

  it('tells of an attached one once', async () => {
    const { pid, id } = await start('attached');
    removeLater('-m', id);
    expect(await findObstacles(pid)).toEqual([`${mine(pid)} uses System V shared memory`]);
  });

  it('tells of one that a helper made which has ended, and not when it is older than the process', async () => {
    const first = await start('child', 'segment');
    removeLater('-m', first.id);
    expect(await findObstacles(first.pid)).toEqual([
      `the System V shared memory segment ${first.id} may be its own: who made it has ended (if nobody needs it: ipcrm -m ${first.id})`,
    ]);
    // The kernel counts in seconds.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const later = await start('named', `/tritmesh-${process.pid}`);
    removals.push(() => rmSync(`/dev/shm/sem.tritmesh-${process.pid}`));
    expect(await findObstacles(later.pid)).toEqual([
      `${mine(later.pid)} uses the named semaphore /tritmesh-${process.pid}`,
    ]);
  });

  it('tells of System V semaphores by their last user, and of those that nobody used', async () => {
    const maker = await start('semaphores');
    removeLater('-s', maker.id);
    expect(await findObstacles(maker.pid)).toEqual([
      `the System V semaphores ${maker.id} may be its own: who made it has ended (if nobody needs it: ipcrm -s ${maker.id})`,
    ]);
    const user = await start('post', maker.id);
    expect(await findObstacles(user.pid)).toEqual([`${mine(user.pid)} uses the System V semaphores ${maker.id}`]);
  });

  it('tells of System V message queues', async () => {
    const maker = await start('queue');
    removeLater('-q', maker.id);
    const user = await start('send', maker.id);
    expect(await findObstacles(user.pid)).toEqual([`${mine(user.pid)} uses the System V message queue ${maker.id}`]);
  });

  it('tells of a named semaphore to who made it and to who opened it', async () => {
    const name = `/tritmesh-${process.pid}`;
    removals.push(() => rmSync(`/dev/shm/sem.${name.slice(1)}`));
    const maker = await start('named', name);
    const user = await start('named', name);
    for (const [one, other] of [
      [maker, user],
      [user, maker],
    ] as const) {
      expect(await findObstacles(one.pid)).toEqual([
        `${mine(one.pid)} uses the named semaphore ${name}`,
        expect.stringMatching(new RegExp(String.raw`^it shares memory with ipc \(${other.pid}\): /dev/shm/sem\.`)),
      ]);
    }
  });

  it('tells of a POSIX message queue', async () => {
    const name = `/tritmesh-${process.pid}`;
    const { pid } = await start('mqueue', name);
    expect(await findObstacles(pid)).toEqual([`${mine(pid)} has the POSIX message queue ${name} open`]);
    await start('unlink', name);
  });

  it('tells of memory that is shared by name with a process outside, and lets its own pass', async () => {
    const name = `/tritmesh-${process.pid}`;
    removals.push(() => rmSync(`/dev/shm${name}`));
    const one = await start('memory', name);
    expect(await findObstacles(one.pid)).toEqual([]);
    const other = await start('memory', name);
    expect(await findObstacles(one.pid)).toEqual([`it shares memory with ${mine(other.pid)}: /dev/shm${name}`]);
  });
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
