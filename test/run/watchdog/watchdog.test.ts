import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent, RunHandle, StartRequest } from '../../../src/run/runner.js';
import { bundledFixture } from '../../support/bundle-fixtures.js';
import { createRunSetup, livingMembers, waitForEnd, waitForText, type RunSetup } from '../../support/run-setup.js';

const HOST = bundledFixture('run-host');

let bench: RunSetup;
let host: ChildProcess | undefined;
beforeEach(() => {
  bench = createRunSetup();
});
afterEach(async () => {
  if (host !== undefined && host.exitCode === null && host.signalCode === null) {
    host.kill('SIGKILL');
    await once(host, 'exit');
  }
  host = undefined;
  expect(bench.clear(), 'processes left by the test').toEqual([]);
});

/** Starts a node that does nothing but one run; gives the handle of the run. */
async function startHost(order: StartRequest): Promise<RunHandle> {
  const child = spawn(process.execPath, [HOST, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] });
  host = child;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as RunEvent;
    if (event.type !== 'RunStarted') throw new Error(`unexpected ${line}`);
    bench.expectGone(event.handle);
    await waitForText(join(order.directory, 'stdout'));
    return event.handle;
  }
  throw new Error('the host ended');
}

const LONG = ['sh', '-c', `trap '' TERM; timeout 600 sleep 601 & echo up; sleep 600; sleep 600`];

describe('the watchdog', () => {
  it('ends a run that nobody extends, with all of its session, and says why', async () => {
    const runner = bench.runner();
    runner.start(bench.order('a', LONG, {}, 300));
    const { handle } = await runner.next('a', 'RunStarted');
    expect(await runner.end('a')).toEqual({ type: 'RunDied', run: 'a', reason: 'watchdog: lease ended' });
    expect(livingMembers(new Set([handle.pid]))).toEqual([]);
    expect(readFileSync(join(bench.root, 'a/stderr'), 'utf8')).toContain('tritmesh: watchdog: lease ended\n');
  });

  it('spares a run that is extended, and an earlier deadline changes nothing', async () => {
    const runner = bench.runner();
    runner.start(bench.order('a', ['sh', '-c', 'sleep 1; echo done'], {}, 500));
    runner.extend('a', 60_000);
    runner.extend('a', 10);
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 0 });
  });

  it('stays when the group gets SIGTERM', async () => {
    const runner = bench.runner();
    runner.start(bench.order('a', LONG, {}, 1000));
    await runner.next('a', 'RunOutput');
    runner.stop('a', 60_000);
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied', reason: 'watchdog: lease ended' });
  });

  it('ends a run whose node was killed', async () => {
    const { pid } = await startHost(bench.order('a', LONG, {}, 1500));
    host?.kill('SIGKILL');
    expect(await waitForText(join(bench.root, 'a/ended'))).toBe('watchdog: lease ended\n');
    await waitForEnd(pid);
    // The watchdog that ends the others is the last to go.
    await expect.poll(() => livingMembers(new Set([pid])), { timeout: 20_000 }).toEqual([]);
  });

  it('ends a run whose node hangs', async () => {
    const { pid } = await startHost(bench.order('a', LONG, {}, 1500));
    host?.kill('SIGSTOP');
    expect(await waitForText(join(bench.root, 'a/ended'))).toBe('watchdog: lease ended\n');
    await waitForEnd(pid);
    // The watchdog that ends the others is the last to go.
    await expect.poll(() => livingMembers(new Set([pid])), { timeout: 20_000 }).toEqual([]);
  });

  it('is not needed by a run that ends while its node is dead: the exit code is there', async () => {
    const order = bench.order('a', ['sh', '-c', 'echo up; sleep 1; exit 5']);
    const { pid } = await startHost(order);
    host?.kill('SIGKILL');
    await waitForEnd(pid);
    expect(readFileSync(join(bench.root, 'a/exit'), 'utf8')).toMatch(/^5\n[^]*end\n\s*$/);
  });
});

describe('a launcher without an order', () => {
  it('goes with its node', async () => {
    await startHost(bench.order('a', ['sh', '-c', 'echo up; exec sleep 1']));
    // The one that has its order, and what waits, are children of the fork server, which is the node's.
    const waiting = (): readonly number[] => listChildren(host?.pid).flatMap(listChildren);
    while (waiting().length < 3) await new Promise((resolve) => setImmediate(resolve));
    const pids = waiting();
    host?.kill('SIGKILL');
    await Promise.all(pids.map(waitForEnd));
    expect(existsSync(join(bench.root, 'a/ended'))).toBe(false);
  });
});

/** The pids of the children of a process. */
function listChildren(pid: number | undefined): readonly number[] {
  const text = execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' });
  const pairs = text.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([parent, child]) => (parent === pid && child !== undefined ? [child] : []));
}
