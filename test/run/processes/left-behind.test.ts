/** What a job leaves running: daemons of real shells, that must end with it, and what must not. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLeftBehind, isStillThere, RUN_MARK_VARIABLE } from '../../../src/run/processes/left-behind.js';
import { readProcStat } from '../../../src/os/proc-stat.js';
import { readStart } from '../../../src/run/processes/process-table.js';
import { LAUNCHER } from '../../support/legacy-run.js';
import { formatRunMark } from '../../../src/run/supervisor/run-record.js';
import { requirement } from '../../support/requirements.js';
import {
  createRunSetup,
  waitForEnd,
  waitForText,
  type RecordingRunner,
  type RunSetup,
} from '../../support/run-setup.js';

const canTry = requirement('Linux with setsid', hasSetsid(), 'run the tests on Linux with util-linux');
const isRoot = requirement('root and setpriv', canTry && process.getuid?.() === 0, 'run the tests as root');

let bench: RunSetup;
const strays: number[] = [];
beforeEach(() => {
  bench = createRunSetup();
});
afterEach(() => {
  for (const pid of strays.splice(0)) if (readStart(pid) !== undefined) process.kill(pid, 'SIGKILL');
  expect(bench.clear(), 'processes left by the test').toEqual([]);
});

const read = (name: string, file: string): string => readFileSync(join(bench.root, name, file), 'utf8');
const isAlive = (pid: number): boolean => readStart(pid) !== undefined;

/** Done before the pid is written: the job may end as soon as that is there. */
const QUIET = 'exec >/dev/null 2>&1';

/** A daemon that says its pid in `pid`, and then does something; `how` is what starts it. */
const leave = (how: string, does = 'exec sleep 600', file = 'pid', first = ':'): string =>
  `${how} sh -c '${first}; echo $$ > ${file}.new; mv ${file}.new ${file}; ${does}' & while [ ! -e ${file} ]; do sleep 0.01; done`;

async function pidOf(name: string, file = 'pid'): Promise<number> {
  const pid = Number(await waitForText(join(bench.root, name, 'work', file)));
  strays.push(pid);
  return pid;
}

async function runToEnd(name: string, script: string, runner: RecordingRunner = bench.runner()): Promise<void> {
  runner.start(bench.order(name, ['sh', '-c', script]));
  expect(await runner.end(name)).toMatchObject({ type: 'RunExited', exitCode: 0 });
}

describe.skipIf(!canTry)('what a job left running', () => {
  it('ends with it, is named, and its streams have the size that they had', async () => {
    await runToEnd('a', leave('setsid', 'while :; do echo more; echo more >&2; done'));
    const pid = await pidOf('a');
    expect(isAlive(pid)).toBe(false);
    const size = statSync(join(bench.root, 'a/stdout')).size;
    expect(read('a', 'stderr')).toMatch(
      new RegExp(String.raw`tritmesh: ended 1 process that the job left running: sh \(${pid}\)\n$`),
    );
    await waitForEnd(pid);
    expect(statSync(join(bench.root, 'a/stdout')).size).toBe(size);
  });

  it('ends after a long life as after a short one', async () => {
    await runToEnd('a', `${leave('setsid nohup')}; sleep 0.7`);
    expect(isAlive(await pidOf('a'))).toBe(false);
  });

  it('ends with all that it started, also what lost the mark', async () => {
    const both = leave('setsid', 'setsid env -i sh -c "echo \\$\\$ > child; exec sleep 601" & sleep 600');
    await runToEnd('a', `${both}; while [ ! -s child ]; do sleep 0.01; done`);
    const [pid, child] = [await pidOf('a'), await pidOf('a', 'child')];
    expect([pid, child].map(isAlive)).toEqual([false, false]);
    expect(read('a', 'stderr')).toContain('ended 3 processes that the job left running: ');
  });

  it('ends when the job is stopped, and when it is found again by a later runner', async () => {
    const first = bench.runner();
    first.start(bench.order('a', ['sh', '-c', `${leave('setsid')}; sleep 600`]));
    first.start(bench.order('b', ['sh', '-c', `${leave('setsid')}; while [ ! -e end ]; do sleep 0.05; done`]));
    const pids = [await pidOf('a'), await pidOf('b')];
    const { handle } = await first.next('b', 'RunStarted');
    first.stop('a', 50);
    await first.end('a');
    expect(pids.map(isAlive)).toEqual([false, true]);
    first.close();
    const second = bench.runner();
    second.adopt('b', join(bench.root, 'b'), handle);
    await second.next('b', 'RunStarted');
    writeFileSync(join(bench.root, 'b/work/end'), '');
    expect(await second.end('b')).toMatchObject({ type: 'RunExited', exitCode: 0 });
    expect(pids.map(isAlive)).toEqual([false, false]);
  });

  it('is not taken from another run, be it the same item in another epoch', async () => {
    const runner = bench.runner();
    const order = { ...bench.order('o/i/1', ['sh', '-c', `${leave('setsid')}; sleep 600`]) };
    runner.start(order);
    const pid = await pidOf('o/i/1');
    await runToEnd('o/i/11', 'true', runner);
    await runToEnd('o/i/2', leave('setsid'), runner);
    expect(isAlive(await pidOf('o/i/2'))).toBe(false);
    expect(isAlive(pid)).toBe(true);
    runner.stop('o/i/1', 0);
    await runner.end('o/i/1');
    expect(isAlive(pid)).toBe(false);
  });

  it('goes on without the mark', async () => {
    await runToEnd('a', leave(`env -u ${RUN_MARK_VARIABLE} setsid`, 'exec sleep 600', 'pid', QUIET));
    expect(isAlive(await pidOf('a'))).toBe(true);
    expect(read('a', 'stderr')).toBe('');
  });

  it('goes on without the mark, but no more in files of the job that it has open', async () => {
    const does = 'exec >>made; while [ ! -e end ]; do echo more; echo more >&2; sleep 0.01; done; echo last';
    await runToEnd(
      'a',
      `${leave(`env -u ${RUN_MARK_VARIABLE} setsid`, does)}; while [ ! -s made ]; do sleep 0.01; done`,
    );
    const pid = await pidOf('a');
    expect(isAlive(pid)).toBe(true);
    const [made, stderr] = [read('a', 'work/made'), read('a', 'stderr')];
    expect(made).toMatch(/^(?:more\n)+$/);
    expect(stderr).toMatch(
      new RegExp(
        String.raw`^(?:more\n)+tritmesh: left alone, and cut off from its files: sh \(${pid}\)(?:, (?:sh|sleep) \(\d+\))?\n$`,
      ),
    );
    writeFileSync(join(bench.root, 'a/work/end'), '');
    await waitForEnd(pid);
    expect([read('a', 'work/made'), read('a', 'stderr')]).toEqual([made, stderr]);
  });

  it.skipIf(!isRoot)('is left alone when it became another user', async () => {
    await runToEnd('a', leave('chmod 777 . ; setsid setpriv --reuid=65534 --clear-groups'));
    const pid = await pidOf('a');
    expect(isAlive(pid)).toBe(true);
    // The job may end before the shell has become `sleep`.
    expect(read('a', 'stderr')).toMatch(
      new RegExp(String.raw`^tritmesh: left alone, and cut off from its files: (?:sh|sleep) \(${pid}\)\n$`),
    );
  });

  it('is left alone when it is a nested tritmesh, or has runs of its own', async () => {
    mkdirSync(join(bench.root, 'dist/bin'), { recursive: true });
    const nested = join(bench.root, 'dist/bin/tritmesh.js');
    writeFileSync(nested, 'setInterval(() => {}, 1000)');
    const host = join(bench.root, 'host.cjs');
    const spawn = `require('node:child_process').spawn('/bin/sh', ['-c', ${JSON.stringify(LAUNCHER)}], { env: {}, detached: true, stdio: ['pipe', 'ignore', 'ignore'] })`;
    writeFileSync(
      host,
      `const { pid } = ${spawn}; require('node:fs').writeFileSync('launcher', String(pid)); setInterval(() => {}, 1000)`,
    );
    const both = [
      leave('setsid', `exec node ${nested}`, 'one', QUIET),
      leave('setsid', `exec node ${host}`, 'two', QUIET),
    ];
    await runToEnd('a', `${both.join('; ')}; while [ ! -s launcher ]; do sleep 0.01; done`);
    const pids = [await pidOf('a', 'one'), await pidOf('a', 'two'), await pidOf('a', 'launcher')];
    expect(pids.map(isAlive)).toEqual([true, true, true]);
    expect(read('a', 'stderr')).toBe('');
  });

  it('says how many there were when they were many', async () => {
    const many = 'for i in 1 2 3 4 5 6 7; do setsid sleep 600 & done; echo all > all; wait';
    // A job that ended before all seven have started would leave fewer.
    await runToEnd('a', `${leave('setsid', many)}; while [ ! -s all ]; do sleep 0.01; done`);
    await pidOf('a');
    expect(read('a', 'stderr')).toMatch(
      /^tritmesh: ended \d processes that the job left running: (?:\w+ \(\d+\), ){5}and \d more\n$/,
    );
  });
});

describe.skipIf(!canTry)('the mark', () => {
  it('is of one start on one boot', () => {
    const start = readStart(process.pid) ?? '';
    expect(formatRunMark({ pid: 12, start: '345@abcdef01' }, 6)).toBe('12.345@abcdef01.6');
    // This process is no member of a run that says it began with it.
    const { marked } = findLeftBehind({
      handle: { pid: process.pid, start },
      directory: '/no/such',
      mark: '1.2@3.4',
      afterPid: undefined,
    });
    expect(marked).toEqual([]);
  });

  it('says nothing of a pid that is another process now', () => {
    const startTicks = readProcStat(process.pid)?.startTicks ?? '';
    expect(isStillThere({ pid: process.pid, name: 'node', startTicks })).toBe(true);
    expect(isStillThere({ pid: process.pid, name: 'node', startTicks: '1' })).toBe(false);
  });
});

function hasSetsid(): boolean {
  try {
    execFileSync('setsid', ['true']);
    return process.platform === 'linux';
  } catch {
    return false;
  }
}
