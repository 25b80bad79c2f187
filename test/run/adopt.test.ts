import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProcessTable } from '../../src/run/processes/process-table.js';
import type { RunHandle } from '../../src/run/runner.js';
import { createRunSetup, livingMembers, waitForEnd, waitForText, type RunSetup } from '../support/run-setup.js';

let bench: RunSetup;
beforeEach(() => {
  bench = createRunSetup();
});
afterEach(() => {
  expect(bench.clear(), 'processes left by the test').toEqual([]);
});

/** Starts a run with a runner that lets go of it at once, as a node that dies does. */
async function leave(argv: readonly string[], guardMs?: number): Promise<RunHandle> {
  const runner = bench.runner();
  runner.start(bench.order('a', argv, {}, guardMs));
  const { handle } = await runner.next('a', 'RunStarted');
  runner.close();
  return handle;
}

/** The process that started a run, which is its parent. */
function supervisorOf({ pid }: RunHandle): number {
  return readProcessTable().find((row) => row.pid === pid)?.parent ?? 0;
}

const directory = (): string => join(bench.root, 'a');
const TILL_GATE = ['sh', '-c', 'echo up; while [ ! -e ../gate ]; do sleep 0.02; done; echo é; exit 6'];

describe.each([
  ['with its handle', (handle: RunHandle): RunHandle | null => handle],
  ['without a handle', (): null => null],
])('adopt, %s,', (_title, tell) => {
  it('finds a live run, its output and its end', async () => {
    const handle = await leave(TILL_GATE);
    const runner = bench.runner();
    runner.adopt('a', directory(), tell(handle));
    expect(await runner.next('a', 'RunStarted')).toEqual({ type: 'RunStarted', run: 'a', handle });
    expect([...(runner.pids().get('a') ?? [])]).toEqual(expect.arrayContaining([handle.pid]));
    writeFileSync(join(directory(), 'gate'), '');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 6, signal: null });
    const outputs = runner.seen.flatMap((event) => (event.type === 'RunOutput' ? [event.text] : []));
    expect(outputs.join('')).toBe('up\né\n');
  });

  it('stops and extends a live run', async () => {
    const handle = await leave(['sh', '-c', 'echo up; exec sleep 600'], 1000);
    // A signal between the launcher's fork and the start of the command would reach neither.
    await waitForText(join(directory(), 'stdout'));
    const runner = bench.runner();
    runner.adopt('a', directory(), tell(handle));
    await runner.next('a', 'RunStarted');
    runner.extend('a', 60_000);
    runner.stop('a', 60_000);
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 143, signal: 'SIGTERM' });
  });

  it('tells the end of a run that ended meanwhile', async () => {
    const handle = await leave(['sh', '-c', 'sleep 0.1; exit 4']);
    await waitForEnd(handle.pid);
    const runner = bench.runner();
    runner.adopt('a', directory(), tell(handle));
    const end = await runner.end('a');
    expect(end).toMatchObject({ type: 'RunExited', exitCode: 4 });
    expect(end.type === 'RunExited' && end.runMs >= 50).toBe(true);
  });

  it('tells that a run died with its supervisor, and nothing of it is left', async () => {
    const handle = await leave(['sh', '-c', 'echo up; sleep 600; sleep 600']);
    await waitForText(join(directory(), 'stdout'));
    process.kill(supervisorOf(handle), 'SIGKILL');
    const runner = bench.runner();
    runner.adopt('a', directory(), tell(handle));
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied', reason: 'nothing of it was left' });
    expect(livingMembers(new Set([handle.pid]))).toEqual([]);
  });

  it('tells what the watchdog did', async () => {
    const handle = await leave(['sleep', '600'], 100);
    await waitForEnd(handle.pid);
    const runner = bench.runner();
    runner.adopt('a', directory(), tell(handle));
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied', reason: 'watchdog: lease ended' });
  });

  it('does not take a process that has got the pid since', async () => {
    const other = createRunSetup();
    const elsewhere = other.runner();
    elsewhere.start(other.order('b', ['sleep', '600']));
    const { handle: stranger } = await elsewhere.next('b', 'RunStarted');
    mkdirSync(join(directory(), 'work'), { recursive: true });
    writeFileSync(join(directory(), 'started'), `${stranger.pid}\n`);
    writeFileSync(join(directory(), 'order'), `launcher='${stranger.pid} 1@0'\nlimit=9\ndeadline=9\n`);
    const runner = bench.runner();
    runner.adopt('a', directory(), tell({ pid: stranger.pid, start: '1@0' }));
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied' });
    expect(livingMembers(new Set([stranger.pid])).length).toBeGreaterThan(0);
    elsewhere.stop('b', 0);
    await elsewhere.end('b');
    expect(other.clear()).toEqual([]);
  });
});

describe('adopt, of a run that was never started,', () => {
  it('is RunFailed, now and later, and nothing starts it any more', async () => {
    mkdirSync(join(directory(), 'work'), { recursive: true });
    for (const runner of [bench.runner(), bench.runner()]) {
      runner.adopt('a', directory(), null);
      expect(await runner.end('a')).toMatchObject({ type: 'RunFailed', reason: 'it was never started' });
    }
    const late = bench.runner();
    late.start(bench.order('a', ['sh', '-c', 'echo ran >ran']));
    expect(await late.end('a')).toMatchObject({ type: 'RunFailed' });
  });

  it('is RunFailed when there is not even a directory', async () => {
    const runner = bench.runner();
    runner.adopt('a', join(bench.root, 'none'), null);
    expect(await runner.end('a')).toMatchObject({ type: 'RunFailed' });
  });
});

describe('adopt, of a run whose directory is gone,', () => {
  it('is RunDied when it is known to have been started', async () => {
    const handle = await leave(['true']);
    await waitForEnd(handle.pid);
    rmSync(directory(), { recursive: true });
    const runner = bench.runner();
    runner.adopt('a', directory(), handle);
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied' });
  });
});
