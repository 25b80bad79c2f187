import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isLegacyGuard, parseLegacyHead } from '../../../src/run/legacy/legacy-launcher.js';
import { readProcessTable, readStart } from '../../../src/run/processes/process-table.js';
import type { RunHandle } from '../../../src/run/runner.js';
import { formatLegacyOrder, LAUNCHER, reserveLegacyFiles } from '../../support/legacy-run.js';
import { createRunSetup, livingMembers, waitForEnd, waitForText, type RunSetup } from '../../support/run-setup.js';

let bench: RunSetup;

beforeEach(() => {
  bench = createRunSetup();
});
afterEach(() => {
  expect(bench.clear()).toEqual([]);
});

const directory = (): string => join(bench.root, 'a');

/** Starts a job as a version before the supervisor did. */
async function startLegacy(script: string, leaseMs = 60_000): Promise<RunHandle> {
  mkdirSync(join(directory(), 'work'), { recursive: true });
  reserveLegacyFiles(directory());
  const child = spawn('/bin/sh', ['-c', LAUNCHER, 'tritmesh-launcher'], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(child, 'spawn');
  const handle = { pid: child.pid ?? 0, start: readStart(child.pid ?? 0) ?? '' };
  bench.expectGone(handle);
  const times = { limit: 999_999_999_999_999, lease: leaseMs / 10 };
  const order = { handle, ...times, argv: ['sh', '-c', script], path: process.env['PATH'] ?? '' };
  writeFileSync(join(directory(), 'order'), formatLegacyOrder(order));
  child.stdin.end(`${directory()}\n`);
  await waitForText(join(directory(), 'stdout'));
  return handle;
}

const TILL_GATE = 'echo up; while [ ! -e ../gate ]; do sleep 0.02; done; exit 6';

describe('the head of an order', () => {
  it.each(['', "launcher='42 x'\n", "launcher='42 x'\nlimit=5\nlease=4\nat=", 'limit=1\n'])(
    'is none when it is torn: %j',
    (text) => {
      expect(parseLegacyHead(text)).toBeUndefined();
    },
  );

  it('is read as each version wrote it', () => {
    const handle = { pid: 42, start: '7@ab' };
    const oldest = "launcher='42 7@ab'\nlimit=5000\ndeadline=4000\ninput='/dev/null'\n";
    expect(parseLegacyHead(oldest)).toEqual({ handle, limit: 5000, at: undefined });
    const newer = 'launcher=\'42 7@ab\'\nlimit=5000\nlease=40\nat=77\n# {"kind":"started"}\ninput=\'/dev/null\'\n';
    expect(parseLegacyHead(newer)).toEqual({ handle, limit: 5000, at: 77, namespace: { kind: 'started' } });
  });
});

describe('the guards of a run of an older version', () => {
  it('are its launcher, its watchdog and what that sleeps with, and none of its own processes', async () => {
    // Its own sleep must not be taken for the watchdog's.
    const handle = await startLegacy('sleep 41 & echo up; exec sleep 42');
    const isSleeping = (): boolean => readProcessTable().filter((row) => row.session === handle.pid).length >= 5;
    await expect.poll(isSleeping, { timeout: 20_000 }).toBe(true);
    const pids = readProcessTable().flatMap((row) => (row.session === handle.pid ? [row.pid] : []));
    const own = pids.filter((pid) => !isLegacyGuard(pid));
    expect(own).toHaveLength(2);
    expect(own).not.toContain(handle.pid);
    expect(isLegacyGuard(process.pid)).toBe(false);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await waitForEnd(handle.pid);
  });
});

describe.each([
  ['with its handle', (handle: RunHandle): RunHandle | null => handle],
  ['without a handle', (): null => null],
])('a run of an older version, adopted %s,', (_title, tell) => {
  it('is found with its output and its end, and can be extended', async () => {
    const handle = await startLegacy(TILL_GATE, 3000);
    const runner = bench.runner();
    runner.adopt('a', directory(), tell(handle));
    expect(await runner.next('a', 'RunStarted')).toEqual({ type: 'RunStarted', run: 'a', handle });
    runner.extend('a', 60_000);
    await waitForText(join(directory(), 'deadline'), (text) => /^\d+ \d{4} 0 \d+/.test(text));
    writeFileSync(join(directory(), 'gate'), '');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 6, signal: null });
  });

  it('is told to have died, after what its launcher left was ended', async () => {
    const handle = await startLegacy('echo up; sleep 600; sleep 600');
    process.kill(handle.pid, 'SIGKILL');
    await waitForEnd(handle.pid);
    const runner = bench.runner();
    runner.adopt('a', directory(), tell(handle));
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied', reason: 'nothing of it was left' });
    expect(livingMembers(new Set([handle.pid]))).toEqual([]);
  });

  it('is told to have been ended by its watchdog', async () => {
    const handle = await startLegacy('echo up; sleep 600', 300);
    await waitForEnd(handle.pid);
    const runner = bench.runner();
    runner.adopt('a', directory(), tell(handle));
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied', reason: 'watchdog: lease ended' });
    expect(readFileSync(join(directory(), 'stderr'), 'utf8')).toContain('tritmesh: watchdog: lease ended');
  });
});
