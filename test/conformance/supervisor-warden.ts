/** A supervisor that is killed, and the warden that ends what it left. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readCommandLine } from '../../src/os/proc-files.js';
import { tryReadProcStat } from '../../src/os/proc-stat.js';
import { readProcessTable, readStart } from '../../src/run/processes/process-table.js';
import { signalProcess } from '../../src/run/processes/session.js';
import { formatLine, type SupervisorLine } from '../../src/run/supervisor/lines.js';
import { formatRunMark } from '../../src/run/supervisor/run-record.js';
import { isThere, stateOf, until, type Supervised, type SupervisorSuite } from '../support/supervised.js';

const STAY = 'echo ready; exec sleep 1000';
/** With job control, the first `sleep` has a group of its own. */
const TWO_GROUPS = { argv: ['bash', '-c', `set -m; sleep 1000 & echo $!; ${STAY}`] };

/** Tests the warden. */
export function testWarden(suite: SupervisorSuite): void {
  describe('a supervisor that is killed', () => testKilled(suite));
  describe('a supervisor', () => testSignals(suite));
}

function testKilled({ open }: SupervisorSuite): void {
  it('takes all sessions of its runs with it', async () => {
    const { start, handle, gone } = await open();
    const jobs = [start(TWO_GROUPS), start(TWO_GROUPS), start(STAY)];
    const members: number[] = [];
    for (const job of jobs) members.push(Number.parseInt(await job.said('ready'), 10) || 0, (await job.started()).pid);
    process.kill(handle.pid, 'SIGKILL');
    expect(await gone).toBe('SIGKILL');
    await until(() => members.every((pid) => pid === 0 || !isThere(pid)));
    expect(members.filter((pid) => pid > 0)).toHaveLength(5);
  });

  it('takes those with it whose leader has ended already', async () => {
    const { start, handle } = await open();
    const job = start(TWO_GROUPS);
    const member = Number.parseInt(await job.said('ready'), 10);
    process.kill(handle.pid, 'SIGSTOP');
    await until(() => stateOf(handle.pid) === 'T');
    process.kill((await job.started()).pid, 'SIGKILL');
    process.kill(handle.pid, 'SIGKILL');
    await until(() => !isThere(member));
  });

  it('leaves processes that only have the number of a run, and runs that have ended', async () => {
    const supervised = await open();
    const { handle, directory } = supervised;
    await supervised.start(STAY).said('ready');
    const [other, over] = [await startOther(), await startOther()];
    const marked = await startOther(formatRunMark(handle, 92));
    const begin = { word: 'begin', slot: 0, at: 1, limitMs: Infinity, mode: 'plain', directory } as const;
    appendLines(supervised, [
      { ...begin, id: 90 },
      { word: 'start', id: 90, handle: { pid: other, start: `1@${readStart(other)?.split('@')[1]}` } },
      { ...begin, id: 91 },
      { word: 'start', id: 91, handle: { pid: over, start: readStart(over) ?? '' } },
      { word: 'end', id: 91, end: { code: 0, signal: 0, cpuMs: 1, ranMs: 1 } },
      { ...begin, id: 92 },
      { word: 'fail', id: 92, step: 'exec', error: 'ENOENT' },
    ]);
    const warden = await untilGuarded(supervised);
    process.kill(handle.pid, 'SIGKILL');
    await until(() => !isThere(warden));
    expect([other, over, marked].map(isThere)).toEqual([true, true, true]);
  });

  it('takes a run with it that it was about to start, by its mark', async () => {
    const supervised = await open();
    const { handle, directory } = supervised;
    const mark = formatRunMark(handle, 93);
    const [begun, first] = [await startOther(mark, 'A=b'), await startOther(mark)];
    const other = await startOther(`${mark}0`);
    const begin = { word: 'begin', slot: 0, at: 1, limitMs: Infinity, mode: 'plain', directory } as const;
    appendLines(supervised, [{ ...begin, id: 93 }]);
    const warden = await untilGuarded(supervised);
    process.kill(handle.pid, 'SIGKILL');
    await until(() => !isThere(begun) && !isThere(first));
    await until(() => !isThere(warden));
    expect(isThere(other)).toBe(true);
  });

  it('takes its runs with it, also after its warden was killed', async () => {
    const supervised = await open();
    const { start, handle } = supervised;
    const job = start(TWO_GROUPS);
    const member = Number.parseInt(await job.said('ready'), 10);
    for (let round = 0; round < 3; round += 1) {
      const warden = await untilGuarded(supervised);
      process.kill(warden, 'SIGKILL');
      await until(() => !isThere(warden));
    }
    await untilGuarded(supervised);
    process.kill(handle.pid, 'SIGKILL');
    await until(() => !isThere(member));
  });
}

function testSignals({ open }: SupervisorSuite): void {
  it('and its warden ignore what is sent to a whole session', async () => {
    const supervised = await open();
    const { start, handle } = supervised;
    const before = start(STAY);
    await before.said('ready');
    const warden = await untilGuarded(supervised);
    for (const pid of [handle.pid, warden]) await until(() => isDeafToTerm(pid));
    for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const)
      for (const pid of [handle.pid, warden]) process.kill(pid, signal);
    expect((await start('exit 4').ended()).code).toBe(4);
    expect(findWarden(supervised)).toBe(warden);
    process.kill((await before.started()).pid, 'SIGTERM');
    expect(await before.ended()).toMatchObject({ code: 143, signal: 15 });
  });

  it('and its warden are in sessions of their own', async () => {
    const supervised = await open();
    const warden = await untilGuarded(supervised);
    const { pid } = supervised.handle;
    expect([tryReadProcStat(pid)?.session, tryReadProcStat(warden)?.session]).toEqual([pid, warden]);
  });
}

/** The pid of the warden, once it is one. */
function findWarden({ handle }: Supervised): number | undefined {
  const isWarden = (pid: number): boolean =>
    tryReadProcStat(pid)?.name === 'tritmesh-warden' || readCommandLine(pid).includes('tritmesh-warden');
  return readProcessTable().find(
    ({ pid, parent, session, zombie }) => parent === handle.pid && session === pid && !zombie && isWarden(pid),
  )?.pid;
}

/** Waits until there is a warden, and returns its pid. */
async function untilGuarded(supervised: Supervised): Promise<number> {
  await until(() => findWarden(supervised) !== undefined);
  return findWarden(supervised) ?? 0;
}

/** Whether SIGTERM is ignored, or caught as Node.js does. */
function isDeafToTerm(pid: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const masks = [...status.matchAll(/^Sig(?:Ign|Cgt):\s*([0-9a-f]+)$/gm)].map(([, mask]) => BigInt(`0x${mask}`));
  return masks.some((mask) => (mask & (1n << 14n)) !== 0n);
}

/** Starts a process in a session of its own that no supervisor started, with a run mark or none. */
async function startOther(mark?: string, first?: string): Promise<number> {
  const variables = [
    ...(first === undefined ? [] : [first]),
    ...(mark === undefined ? [] : [`TRITMESH_RUN_MARK=${mark}`]),
  ];
  const child = spawn('env', ['-i', ...variables, '/bin/sleep', '1000'], { detached: true, stdio: 'ignore' });
  const { pid = 0 } = child;
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    signalProcess(pid, 'SIGKILL');
    await gone;
  });
  await until(() => readCommandLine(pid)[0] === '/bin/sleep');
  return pid;
}

/** Writes lines behind the last one, as its supervisor would. */
function appendLines({ directory }: Supervised, lines: readonly SupervisorLine[]): void {
  const path = join(directory, 'log');
  const fd = openSync(path, 'r+');
  try {
    writeSync(fd, lines.map(formatLine).join(''), readFileSync(path, 'latin1').indexOf('\n\n') + 1);
  } finally {
    closeSync(fd);
  }
}
