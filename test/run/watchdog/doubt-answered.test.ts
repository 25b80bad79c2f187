/**
 * A watchdog in doubt and the node that answers it, with real processes: what was stopped goes on, in a pid namespace or not, and what criu froze
 * stays frozen. The watchdog is stopped for longer than the lease, as a machine that sleeps stops it. And runs of a node before this one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDoubt } from '../../../src/run/watchdog/deadline.js';
import { isWatchdogProcess } from '../../../src/run/watchdog/watchdog-process.js';
import { listDescendants, readProcessTable, readStart } from '../../../src/run/processes/process-table.js';
import { reserveFiles } from '../../../src/run/directory/reserved-files.js';
import { canFreeze, CHECKPOINT } from '../../support/criu.js';
import { createRunSetup, waitForText, type RecordingRunner, type RunSetup } from '../../support/run-setup.js';

let bench: RunSetup;
const timers: NodeJS.Timeout[] = [];
beforeEach(() => {
  bench = createRunSetup();
});
afterEach(() => {
  for (const timer of timers.splice(0)) clearInterval(timer);
  expect(bench.clear(), 'processes left by the test').toEqual([]);
});

const TILL_GATE = ['sh', '-c', 'echo up; while [ ! -e ../gate ]; do sleep 0.05; done; echo over; exit 7'];
const LEASE_MS = 6000;
const LOOK = { timeout: 20_000, interval: 10 };

/** A run whose lease is renewed each second. */
async function startRenewed(runner: RecordingRunner, migrate: 'never' | 'checkpoint'): Promise<number> {
  runner.start(bench.order('a', TILL_GATE, { migrate }, LEASE_MS));
  const { handle } = await runner.next('a', 'RunStarted');
  await waitForText(join(bench.root, 'a/stdout'));
  timers.push(setInterval(() => runner.extend('a', LEASE_MS), 1000));
  return handle.pid;
}

function watchdogOf(launcher: number): number {
  const found = readProcessTable().find((row) => row.parent === launcher && isWatchdogProcess(row.pid));
  if (found === undefined) throw new Error('it has no watchdog');
  return found.pid;
}

/** State letters of the command’s own processes; in a pid namespace those of its session. */
function statesOf(launcher: number): readonly string[] {
  const below = listDescendants(launcher, readProcessTable());
  const hasNamespace = below.some((row) => row.session !== launcher);
  return below
    .filter((row) => !row.zombie && !isWatchdogProcess(row.pid) && (!hasNamespace || row.session !== launcher))
    .map((row) => readFileSync(`/proc/${row.pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0] ?? '');
}

const isHeld = (launcher: number): boolean => {
  const states = statesOf(launcher);
  return states.length > 0 && states.every((state) => state === 'T');
};

async function sleepThrough(launcher: number): Promise<void> {
  const watchdog = watchdogOf(launcher);
  process.kill(watchdog, 'SIGSTOP');
  await sleep(LEASE_MS + 4000);
  process.kill(watchdog, 'SIGCONT');
}

describe.each([
  ['a plain run', 'never' as const, true],
  ['a run in a pid namespace', 'checkpoint' as const, canFreeze],
])('%s', (_title, migrate, isPossible) => {
  if (!isPossible) return;
  it('is stopped in doubt, goes on when the node has answered, and ends with its own exit code', async () => {
    const runner = bench.runner(migrate === 'checkpoint' ? CHECKPOINT : undefined);
    const launcher = await startRenewed(runner, migrate);
    await sleepThrough(launcher);
    await expect.poll(() => isHeld(launcher), LOOK).toBe(true);
    await runner.next('a', 'RunDoubted');
    await expect.poll(() => isHeld(launcher), LOOK).toBe(false);
    expect(readDoubt(join(bench.root, 'a'))).toBe(1);
    writeFileSync(join(bench.root, 'a/gate'), '');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 7 });
  });

  it('that was adopted is answered for as well', async () => {
    const first = bench.runner(migrate === 'checkpoint' ? CHECKPOINT : undefined);
    const launcher = await startRenewed(first, migrate);
    first.close();
    const runner = bench.runner(migrate === 'checkpoint' ? CHECKPOINT : undefined);
    runner.adopt('a', join(bench.root, 'a'), null);
    await runner.next('a', 'RunStarted');
    timers.push(setInterval(() => runner.extend('a', LEASE_MS), 1000));
    await sleepThrough(launcher);
    await expect.poll(() => isHeld(launcher), LOOK).toBe(true);
    await runner.next('a', 'RunDoubted');
    await expect.poll(() => isHeld(launcher), LOOK).toBe(false);
    writeFileSync(join(bench.root, 'a/gate'), '');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 7 });
  });
});

describe.skipIf(!canFreeze)('a run that criu froze', () => {
  it('stays frozen through a doubt, and goes on when it is thawed', async () => {
    const runner = bench.runner(CHECKPOINT);
    const launcher = await startRenewed(runner, 'checkpoint');
    runner.freeze('a');
    await runner.answer('a', 'RunFrozen');
    await sleepThrough(launcher);
    const directory = join(bench.root, 'a');
    await waitForText(join(directory, 'deadline'), (text) => / 1 \d+\s*$/.test(text));
    await sleep(3000);
    expect(isHeld(launcher)).toBe(true);
    runner.thaw('a');
    await runner.answer('a', 'RunThawed');
    writeFileSync(join(directory, 'gate'), '');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 7 });
  });

  it('that froze while its watchdog was in doubt is not let go on by its answer', async () => {
    const runner = bench.runner(CHECKPOINT);
    const launcher = await startRenewed(runner, 'checkpoint');
    await sleepThrough(launcher);
    await expect.poll(() => isHeld(launcher), LOOK).toBe(true);
    runner.freeze('a');
    await runner.answer('a', 'RunFrozen');
    await sleep(4000);
    expect(isHeld(launcher)).toBe(true);
    runner.thaw('a');
    await runner.answer('a', 'RunThawed');
    writeFileSync(join(bench.root, 'a/gate'), '');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 7 });
  });
});

describe('a run that a node before this one started', () => {
  const OLD = readFileSync(fileURLToPath(new URL('../../fixtures/launcher-eb17494.sh', import.meta.url)), 'utf8');

  /** Its watchdog compares readings of /proc/uptime. */
  async function startOld(leaseS: number): Promise<string> {
    const directory = join(bench.root, 'a');
    mkdirSync(join(directory, 'work'), { recursive: true });
    reserveFiles(directory);
    const child = spawn('/bin/sh', ['-c', OLD, 'tritmesh-launcher'], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    bench.expectGone({ pid, start: '' });
    const now = Math.round(Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 100);
    const order = [
      `launcher='${pid} ${readStart(pid)}'`,
      'limit=999999999999999',
      `deadline=${now + leaseS * 100}`,
      "input='/dev/null'",
      "fault=''",
      'fault_code=0',
      `set -- ${TILL_GATE.map((word) => `'${word}'`).join(' ')}`,
      'begin() {',
      'exec "$@"',
      '}',
      'box=',
      '',
    ];
    writeFileSync(join(directory, 'order'), order.join('\n'));
    child.stdin.end(`${directory}\n`);
    await waitForText(join(directory, 'stdout'));
    return directory;
  }

  it('is adopted, and extended so that its watchdog understands', async () => {
    const directory = await startOld(3);
    const runner = bench.runner();
    runner.adopt('a', directory, null);
    await runner.next('a', 'RunStarted');
    runner.extend('a', 60_000);
    await sleep(5000);
    writeFileSync(join(directory, 'gate'), '');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 7 });
  });

  it('is ended by its watchdog when nobody extends it', async () => {
    const directory = await startOld(2);
    const runner = bench.runner();
    runner.adopt('a', directory, null);
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied', reason: 'guardian: lease ended' });
  });
});
