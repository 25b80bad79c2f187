/** The fork server: that its launchers are not the node's own children, and what happens when it goes. */
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { Launcher } from '../../../src/run/launch/launcher.js';
import { createForkServer, type ForkServer } from '../../../src/run/launch/fork-server.js';
import type { RunHandle } from '../../../src/run/runner.js';
import {
  createRunSetup,
  waitForEnd,
  waitForText,
  type RecordingRunner,
  type RunSetup,
} from '../../support/run-setup.js';

let bench: RunSetup;
beforeEach(() => {
  bench = createRunSetup();
});
afterEach(() => {
  expect(bench.clear(), 'processes left by the test').toEqual([]);
});

function openForkServer(): ForkServer {
  const forkServer = createForkServer(process.env['PATH']);
  onTestFinished(() => forkServer.close());
  return forkServer;
}

/** Waits until a launcher is ready. */
function takeLauncher(forkServer: ForkServer): Promise<Launcher> {
  return vi.waitFor(() => {
    const launcher = forkServer.take();
    if (launcher === undefined) throw new Error('no launcher is ready');
    return launcher;
  });
}

function readParent(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'latin1' }));
}

/** Starts runs until one came from a fork server, as the next one then does too; returns the fork server's pid. */
async function warm(runner: RecordingRunner, name: string): Promise<number> {
  for (let index = 0; ; index += 1) {
    const run = `${name}-${index}`;
    runner.start(bench.order(run, ['sleep', '600']));
    const { handle } = await runner.next(run, 'RunStarted');
    const parent = readParent(handle.pid);
    runner.stop(run, 0);
    await runner.end(run);
    if (parent !== process.pid) return parent;
  }
}

async function startLong(runner: RecordingRunner): Promise<RunHandle> {
  runner.start(bench.order('long', ['sh', '-c', 'echo up; sleep 1; exit 6']));
  const { handle } = await runner.next('long', 'RunStarted');
  await waitForText(`${bench.root}/long/stdout`);
  return handle;
}

it('no launcher of it is a child of the node, and each is told of when it ends', async () => {
  const launcher = await takeLauncher(openForkServer());
  const parent = readParent(launcher.handle.pid);
  expect([process.pid, 1]).not.toContain(parent);
  expect(readParent(parent)).toBe(process.pid);
  const ended = new Promise((resolve) => launcher.onEnd(resolve, () => resolve('lost')));
  launcher.dismiss();
  expect(await ended).toBe(null);
});

it('when it is closed, it goes, and so do the launchers that wait', async () => {
  const forkServer = openForkServer();
  const { handle } = await takeLauncher(forkServer);
  const parent = readParent(handle.pid);
  forkServer.close();
  await Promise.all([parent, handle.pid].map(waitForEnd));
  expect(forkServer.take()).toBe(undefined);
});

it('a run whose fork server was killed goes on, and is told of to its end', async () => {
  const runner = bench.runner();
  const serverPid = await warm(runner, 'warm');
  const handle = await startLong(runner);
  expect(readParent(handle.pid)).toBe(serverPid);
  process.kill(serverPid, 'SIGKILL');
  expect(await runner.end('long')).toMatchObject({ type: 'RunExited', exitCode: 6 });
  expect(await warm(runner, 'after')).not.toBe(serverPid);
});
