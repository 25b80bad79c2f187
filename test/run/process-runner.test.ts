import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/run/runner.js';
import { createRunSetup, livingMembers, type RunSetup } from '../support/run-setup.js';

const REPORT = fileURLToPath(new URL('../fixtures/report.mjs', import.meta.url));

let bench: RunSetup;
beforeEach(() => {
  bench = createRunSetup();
});
afterEach(() => {
  expect(bench.clear(), 'processes left by the test').toEqual([]);
});

/** Runs a command to its end. */
async function run(...args: Parameters<RunSetup['order']>): Promise<RunEvent> {
  const runner = bench.runner();
  const order = bench.order(...args);
  runner.start(order);
  return runner.end(order.run);
}

const read = (name: string, file: string): Buffer => readFileSync(join(bench.root, name, file));

describe('the end of a command', () => {
  it.each([
    ['exit 0', ['true'], 0, null],
    ['exit 7', ['sh', '-c', 'exit 7'], 7, null],
    ['a signal', ['sh', '-c', 'kill -TERM $$'], 143, 'SIGTERM'],
    ['SIGINT, which a background job would ignore', ['sh', '-c', 'kill -INT $$; exit 3'], 130, 'SIGINT'],
    ['SIGKILL', ['sh', '-c', 'kill -KILL $$'], 137, 'SIGKILL'],
  ])('is told after %s', async (_title, argv, exitCode, signal) => {
    expect(await run('a', argv)).toMatchObject({ type: 'RunExited', exitCode, signal });
  });

  it('is 127 and a plain sentence when the program is missing', async () => {
    expect(await run('a', ['no-such-program', 'x'])).toMatchObject({ type: 'RunExited', exitCode: 127, signal: null });
    expect(read('a', 'stderr').toString()).toBe('tritmesh: program not found: no-such-program\n');
    expect(read('a', 'stdout').length).toBe(0);
  });

  it('is 126 and a plain sentence when the program is not executable', async () => {
    mkdirSync(join(bench.root, 'a/work'), { recursive: true });
    writeFileSync(join(bench.root, 'a/work/data'), 'x', { mode: 0o644 });
    expect(await run('a', ['./data'])).toMatchObject({ type: 'RunExited', exitCode: 126 });
    expect(read('a', 'stderr').toString()).toBe('tritmesh: program is not executable: ./data\n');
  });

  it('carries the cpu time of the command', async () => {
    const end = await run('a', ['sh', '-c', 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done']);
    expect(end.type === 'RunExited' && end.cpuS > 0 && end.runMs > 0).toBe(true);
  });

  it('comes only when nothing of the group lives, whatever was left in the background', async () => {
    const runner = bench.runner();
    runner.start(bench.order('a', ['sh', '-c', `(trap '' TERM; sleep 600) & trap '' TERM; sleep 601 & echo done`]));
    const { handle } = await runner.next('a', 'RunStarted');
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 0 });
    expect(livingMembers(new Set([handle.pid]))).toEqual([]);
  });

  it('is RunFailed when the run was started in its directory before', async () => {
    await run('a', ['true']);
    expect(await run('a', ['true'])).toMatchObject({ type: 'RunFailed' });
  });

  it('is told of 40 runs at once, each once', async () => {
    const runner = bench.runner();
    const names = Array.from({ length: 40 }, (_, index) => `r${index}`);
    for (const [index, name] of names.entries()) runner.start(bench.order(name, ['sh', '-c', `exit ${index}`]));
    const ends = await Promise.all(names.map((name) => runner.end(name)));
    expect(ends.map((end) => end.type === 'RunExited' && end.exitCode)).toEqual(names.map((_, index) => index));
    expect(runner.seen.filter((event) => event.type === 'RunExited').length).toBe(40);
  });
});

describe('what a command gets', () => {
  interface Report {
    readonly argv: readonly string[];
    readonly env: Record<string, string>;
    readonly cwd: string;
    readonly stdin: string;
  }

  async function report(
    argv: readonly string[],
    more: { env?: Record<string, string>; stdin?: string } = {},
  ): Promise<Report> {
    expect(await run('a', [process.execPath, REPORT, ...argv], more)).toMatchObject({ exitCode: 0 });
    return JSON.parse(read('a', 'stdout').toString()) as Report;
  }

  it('is its arguments, byte for byte, and its directory', async () => {
    const argv = [
      'a b',
      "it's",
      '"q"',
      'two\nlines\n',
      '*',
      '$HOME `id` $(id)',
      '\\n\\',
      '',
      '-n',
      'é😀\u0081',
      '#;&|<>',
    ];
    const { argv: got, cwd } = await report(argv);
    expect(got).toEqual(argv);
    expect(cwd).toBe(join(bench.root, 'a/work'));
  });

  it('is its environment, and nothing of the node but a few names', async () => {
    process.env['TRITMESH_PASSWORD'] = 'secret';
    const env = {
      PLAIN: '1',
      QUOTES: `'"\\ $x\n`,
      OPTIND: 'x',
      UID: '5',
      IFS: '/',
      PATH: `/opt/none:${process.env['PATH']}`,
    };
    const { env: got } = await report([], { env });
    delete process.env['TRITMESH_PASSWORD'];
    expect(got).toMatchObject({ ...env, TRITMESH_RUN_DIRECTORY: join(bench.root, 'a') });
    const allowed =
      /^(?:HOME|LANG|LC_ALL|LC_CTYPE|LOGNAME|SHELL|TMPDIR|TZ|USER|PWD|SHLVL|_|TRITMESH_RUN_DIRECTORY|TRITMESH_RUN_MARK)$/;
    expect(Object.keys(got).filter((name) => !(name in env) && !allowed.test(name))).toEqual([]);
  });

  it('is an empty stdin, or its file', async () => {
    expect((await report([])).stdin).toBe('');
    mkdirSync(join(bench.root, 'b/work/in'), { recursive: true });
    const bytes = Buffer.from([0, 255, 10, 13, 0]);
    writeFileSync(join(bench.root, "b/work/in/it's x"), bytes);
    expect(await run('b', [process.execPath, REPORT], { stdin: "in/it's x" })).toMatchObject({ exitCode: 0 });
    const { stdin } = JSON.parse(read('b', 'stdout').toString()) as Report;
    expect(Buffer.from(stdin, 'base64').equals(bytes)).toBe(true);
  });

  it('is exit code 126 when the stdin file is missing', async () => {
    expect(await run('a', ['cat'], { stdin: 'none' })).toMatchObject({ exitCode: 126 });
    expect(read('a', 'stderr').toString()).toBe('tritmesh: stdin is not a readable file: none\n');
  });

  it('is no shell builtin in place of a program', async () => {
    expect(await run('a', ['echo', 'a\\nb'])).toMatchObject({ exitCode: 0 });
    expect(read('a', 'stdout').toString()).toBe('a\\nb\n');
    expect(await run('b', ['eval', 'exit 5'])).toMatchObject({ exitCode: 127 });
  });
});

describe('output', () => {
  it('lands in the files byte for byte, a mebibyte of everything', async () => {
    mkdirSync(join(bench.root, 'a/work'), { recursive: true });
    const bytes = Buffer.alloc(
      1024 * 1024,
      Uint8Array.from({ length: 256 }, (_, index) => 255 - index),
    );
    writeFileSync(join(bench.root, 'a/work/in'), bytes);
    await run('a', ['sh', '-c', 'cat in; cat in >&2']);
    expect(read('a', 'stdout').equals(bytes)).toBe(true);
    expect(read('a', 'stderr').equals(bytes)).toBe(true);
  });

  it('comes as events while the command runs and whole before its end', async () => {
    const runner = bench.runner();
    const command = 'echo one; while [ ! -e ../gate ]; do sleep 0.02; done; echo two; printf é >&2';
    runner.start(bench.order('a', ['sh', '-c', command]));
    expect(await runner.next('a', 'RunOutput')).toMatchObject({
      stream: 'stdout',
      offset: 0,
      text: 'one\n',
      lossy: false,
    });
    writeFileSync(join(bench.root, 'a/gate'), '');
    await runner.end('a');
    const text = (stream: string): string =>
      runner.seen.map((event) => (event.type === 'RunOutput' && event.stream === stream ? event.text : '')).join('');
    expect(text('stdout')).toBe('one\ntwo\n');
    expect(text('stderr')).toBe('é');
    expect(runner.seen.at(-1)).toMatchObject({ type: 'RunExited' });
  });
});

describe('stop', () => {
  it('ends the command with SIGTERM', async () => {
    const runner = bench.runner();
    runner.start(bench.order('a', ['sh', '-c', 'echo up; exec sleep 600']));
    await runner.next('a', 'RunOutput');
    runner.stop('a', 60_000);
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 143, signal: 'SIGTERM' });
  });

  it('lets a command that minds SIGTERM choose its code', async () => {
    const runner = bench.runner();
    runner.start(bench.order('a', ['sh', '-c', `trap 'exit 9' TERM; echo up; while :; do sleep 0.1; done`]));
    await runner.next('a', 'RunOutput');
    runner.stop('a', 60_000);
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 9 });
  });

  it('ends what ignores SIGTERM, and its children, and those in groups of their own', async () => {
    const runner = bench.runner();
    const command = `trap '' TERM; (sleep 600) & timeout 600 sleep 601 & echo up; while :; do sleep 1; done`;
    runner.start(bench.order('a', ['sh', '-c', command]));
    const { handle } = await runner.next('a', 'RunStarted');
    await runner.next('a', 'RunOutput');
    expect(livingMembers(new Set([handle.pid])).length).toBeGreaterThanOrEqual(5);
    expect(runner.pids().get('a')).toEqual(expect.arrayContaining([...livingMembers(new Set([handle.pid]))]));
    runner.stop('a', 50);
    expect(await runner.end('a')).toMatchObject({ type: 'RunDied', reason: 'stopped' });
    expect(livingMembers(new Set([handle.pid]))).toEqual([]);
    expect(runner.pids().size).toBe(0);
  });

  it('ends a stopped command, and one that was started just now', async () => {
    const runner = bench.runner();
    runner.start(bench.order('a', ['sh', '-c', 'echo up; kill -STOP $$; sleep 600']));
    await runner.next('a', 'RunOutput');
    runner.stop('a', 60_000);
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 143 });
    runner.start(bench.order('b', ['sleep', '600']));
    runner.stop('b', 0);
    expect(await runner.end('b')).toMatchObject({ type: 'RunDied', reason: 'stopped' });
  });

  it('comes by itself at the wall-clock limit', async () => {
    const runner = bench.runner();
    runner.start(bench.order('a', ['sleep', '600'], { wall_ms: 50 }));
    expect(await runner.end('a')).toMatchObject({ type: 'RunExited', exitCode: 143 });
    expect(read('a', 'stderr').toString()).toBe('tritmesh: wall-clock limit\n');
  });
});
