import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProcessTable } from '../../../src/run/processes/process-table.js';
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
  const child = spawn(process.execPath, [HOST, JSON.stringify(order), join(bench.root, 'supervisors')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
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
    expect(await waitForText(join(bench.root, 'a/stderr'))).toBe('tritmesh: watchdog: lease ended\n');
    await waitForEnd(pid);
    await expect.poll(() => livingMembers(new Set([pid])), { timeout: 20_000 }).toEqual([]);
  });

  it('ends a run whose node hangs', async () => {
    const { pid } = await startHost(bench.order('a', LONG, {}, 1500));
    host?.kill('SIGSTOP');
    expect(await waitForText(join(bench.root, 'a/stderr'))).toBe('tritmesh: watchdog: lease ended\n');
    await waitForEnd(pid);
    await expect.poll(() => livingMembers(new Set([pid])), { timeout: 20_000 }).toEqual([]);
  });

  it('is not needed by a run that ends while its node is dead: the exit code is there', async () => {
    const order = bench.order('a', ['sh', '-c', 'echo up; sleep 1; exit 5']);
    const { pid } = await startHost(order);
    host?.kill('SIGKILL');
    await waitForEnd(pid);
    const runner = bench.runner();
    runner.adopt('a', order.directory, null);
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 5 });
  });
});

describe('the supervisor', () => {
  it('goes with its node when it has no runs, and stays until its last one has ended', async () => {
    const order = bench.order('a', ['sh', '-c', 'echo up; while [ ! -e ../gate ]; do sleep 0.02; done']);
    const { pid } = await startHost(order);
    const supervisor = parentOf(pid);
    host?.kill('SIGKILL');
    const log = join(bench.root, 'supervisors/1/log');
    await expect.poll(() => readFileSync(log, 'utf8'), { timeout: 20_000 }).toContain('orphan .\n');
    expect(parentOf(pid)).toBe(supervisor);
    writeFileSync(join(order.directory, 'gate'), '');
    await waitForEnd(supervisor);
    expect(readFileSync(log, 'utf8')).toMatch(/^end 1 0 0 \d+ \d+ \.$/m);
  });

  it('is started again after it was killed, and its runs have ended with it', async () => {
    const runner = bench.runner();
    runner.start(bench.order('a', LONG));
    const { handle } = await runner.next('a', 'RunStarted');
    await runner.next('a', 'RunOutput');
    process.kill(parentOf(handle.pid), 'SIGKILL');
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied' });
    expect(livingMembers(new Set([handle.pid]))).toEqual([]);
    runner.start(bench.order('b', ['sh', '-c', 'exit 3']));
    expect(await runner.end('b')).toMatchObject({ type: 'RunExited', exitCode: 3 });
  });

  it('that is stopped does not keep a later boot of the node waiting for ever, and its runs end', async () => {
    const { pid } = await startHost(bench.order('a', LONG));
    const supervisor = parentOf(pid);
    process.kill(supervisor, 'SIGSTOP');
    host?.kill('SIGKILL');
    const runner = bench.runner();
    runner.adopt('a', join(bench.root, 'a'), null);
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied' });
    await waitForEnd(supervisor);
    expect(livingMembers(new Set([pid]))).toEqual([]);
  });
});

/** The process that started a run. */
function parentOf(pid: number): number {
  return readProcessTable().find((row) => row.pid === pid)?.parent ?? 0;
}
