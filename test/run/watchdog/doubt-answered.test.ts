/**
 * A supervisor in doubt and the node that answers it, with real processes: what was stopped goes on, in a pid namespace
 * or not, and what criu froze stays frozen. Its clocks are made to say that the machine slept for longer than the lease.
 * And runs of an older version.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listDescendants, readProcessTable, readStart } from '../../../src/run/processes/process-table.js';
import { listSupervisors, openFormerSupervisor } from '../../../src/run/supervisor/former-supervisor.js';
import { bundledFixture } from '../../support/bundle-fixtures.js';
import { canFreeze, CHECKPOINT } from '../../support/criu.js';
import { reserveLegacyFiles } from '../../support/legacy-run.js';
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

const PROGRAM = { kind: 'node', program: process.execPath, args: [bundledFixture('lying-supervisor')] } as const;

const openRunner = (migrate: 'never' | 'checkpoint'): RecordingRunner =>
  bench.runnerOf([PROGRAM], migrate === 'checkpoint' ? CHECKPOINT : undefined);

/** State letters of the run's processes; in a pid namespace those of the command's session. */
function statesOf(leader: number): readonly string[] {
  const table = readProcessTable();
  const rows = [...table.filter(({ pid }) => pid === leader), ...listDescendants(leader, table)];
  const hasNamespace = rows.some((row) => row.session !== leader);
  return rows
    .filter((row) => !row.zombie && (!hasNamespace || row.session !== leader))
    .map((row) => readFileSync(`/proc/${row.pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0] ?? '');
}

const isHeld = (leader: number): boolean => {
  const states = statesOf(leader);
  return states.length > 0 && states.every((state) => state === 'T');
};

/** The machine sleeps ten times as long as the lease, as its clocks have it. */
function sleepThrough(): void {
  const place = join(bench.root, 'supervisors');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'slept.new'), String(10 * LEASE_MS));
  renameSync(join(place, 'slept.new'), join(place, 'slept'));
}

/** The number of the last doubt of any supervisor. */
function readDoubt(): number {
  const place = join(bench.root, 'supervisors');
  const all = listSupervisors(place).map((number) => openFormerSupervisor(join(place, String(number))));
  return Math.max(...all.map(({ records }) => records.doubt));
}

describe.each([
  ['a plain run', 'never' as const, true],
  ['a run in a pid namespace', 'checkpoint' as const, canFreeze],
])('%s', (_title, migrate, isPossible) => {
  if (!isPossible) return;
  it('is stopped in doubt, goes on when the node has answered, and ends with its own exit code', async () => {
    const runner = openRunner(migrate);
    const leader = await startRenewed(runner, migrate);
    sleepThrough();
    await expect.poll(() => isHeld(leader), LOOK).toBe(true);
    await runner.next('a', 'RunDoubted');
    await expect.poll(() => isHeld(leader), LOOK).toBe(false);
    expect(readDoubt()).toBe(1);
    writeFileSync(join(bench.root, 'a/gate'), '');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 7 });
  });

  it('that was adopted is answered for as well', async () => {
    const first = openRunner(migrate);
    const leader = await startRenewed(first, migrate);
    first.close();
    const runner = openRunner(migrate);
    runner.adopt('a', join(bench.root, 'a'), null);
    await runner.next('a', 'RunStarted');
    timers.push(setInterval(() => runner.extend('a', LEASE_MS), 1000));
    sleepThrough();
    await expect.poll(() => isHeld(leader), LOOK).toBe(true);
    await runner.next('a', 'RunDoubted');
    await expect.poll(() => isHeld(leader), LOOK).toBe(false);
    writeFileSync(join(bench.root, 'a/gate'), '');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 7 });
  });
});

describe.skipIf(!canFreeze)('a run that criu froze', () => {
  it('stays frozen through a doubt, and goes on when it is thawed', async () => {
    const runner = openRunner('checkpoint');
    const leader = await startRenewed(runner, 'checkpoint');
    runner.freeze('a');
    await runner.answer('a', 'RunFrozen');
    sleepThrough();
    const directory = join(bench.root, 'a');
    await runner.next('a', 'RunDoubted');
    expect(readDoubt()).toBe(1);
    await sleep(3000);
    expect(isHeld(leader)).toBe(true);
    runner.thaw('a');
    await runner.answer('a', 'RunThawed');
    writeFileSync(join(directory, 'gate'), '');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 7 });
  });

  it('that froze while its supervisor was in doubt is not let go on by its answer', async () => {
    const runner = openRunner('checkpoint');
    const leader = await startRenewed(runner, 'checkpoint');
    sleepThrough();
    await expect.poll(() => isHeld(leader), LOOK).toBe(true);
    runner.freeze('a');
    await runner.answer('a', 'RunFrozen');
    await sleep(4000);
    expect(isHeld(leader)).toBe(true);
    runner.thaw('a');
    await runner.answer('a', 'RunThawed');
    writeFileSync(join(bench.root, 'a/gate'), '');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 7 });
  });
});

describe('a run that an older version started', () => {
  const OLD = readFileSync(fileURLToPath(new URL('../../fixtures/launcher-eb17494.sh', import.meta.url)), 'utf8');

  /** Its watchdog compares readings of /proc/uptime. */
  async function startOld(leaseS: number): Promise<string> {
    const directory = join(bench.root, 'a');
    mkdirSync(join(directory, 'work'), { recursive: true });
    reserveLegacyFiles(directory);
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
