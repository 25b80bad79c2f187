/** The nursery: that it gives launchers which are not the node's own children, and what happens when it goes. */
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Launcher } from '../../src/run/launcher.js';
import { createNursery, type Nursery } from '../../src/run/nursery.js';
import type { RunHandle } from '../../src/run/runner.js';
import { createRunBench, waitForEnd, waitForText, type BenchRunner, type RunBench } from './run-bench.js';

let bench: RunBench;
beforeEach(() => {
  bench = createRunBench();
});
afterEach(() => {
  expect(bench.clear(), 'processes left by the test').toEqual([]);
});

function openNursery(): Nursery {
  const nursery = createNursery(process.env['PATH']);
  onTestFinished(() => nursery.close());
  return nursery;
}

/** Waits until a launcher is ready. */
function takeLauncher(nursery: Nursery): Promise<Launcher> {
  return vi.waitFor(() => {
    const launcher = nursery.take();
    if (launcher === undefined) throw new Error('no launcher is ready');
    return launcher;
  });
}

function readParent(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'latin1' }));
}

/** Starts runs until one came from a nursery, and so the next one does; gives the nursery's pid. */
async function warm(runner: BenchRunner, name: string): Promise<number> {
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

async function startLong(runner: BenchRunner): Promise<RunHandle> {
  runner.start(bench.order('long', ['sh', '-c', 'echo up; sleep 1; exit 6']));
  const { handle } = await runner.next('long', 'RunStarted');
  await waitForText(`${bench.root}/long/stdout`);
  return handle;
}

test('no launcher of it is a child of the node, and each is told of when it ends', async () => {
  const launcher = await takeLauncher(openNursery());
  const parent = readParent(launcher.handle.pid);
  expect([process.pid, 1]).not.toContain(parent);
  expect(readParent(parent)).toBe(process.pid);
  const ended = new Promise((resolve) => launcher.onEnd(resolve, () => resolve('lost')));
  launcher.dismiss();
  expect(await ended).toBe(null);
});

test('when it is closed, it goes, and so do the launchers that wait', async () => {
  const nursery = openNursery();
  const { handle } = await takeLauncher(nursery);
  const parent = readParent(handle.pid);
  nursery.close();
  await Promise.all([parent, handle.pid].map(waitForEnd));
  expect(nursery.take()).toBe(undefined);
});

test('a run whose nursery was killed goes on, and is told of to its end', async () => {
  const runner = bench.runner();
  const nursery = await warm(runner, 'warm');
  const handle = await startLong(runner);
  expect(readParent(handle.pid)).toBe(nursery);
  process.kill(nursery, 'SIGKILL');
  expect(await runner.end('long')).toMatchObject({ type: 'RunExited', exitCode: 6 });
  expect(await warm(runner, 'after')).not.toBe(nursery);
});
