/**
 * The real program with bad input: one sentence on stderr, nothing on stdout, and exit code 2 for input, 1 for a
 * failure.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runProgram, type Ended } from '../support/programs.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const MAIN = fileURLToPath(new URL('../../dist/bin/tritmesh.js', import.meta.url));
const MODULES = JSON.parse(readFileSync(join(MAIN, '../../modules.json'), 'utf8')) as Readonly<
  Record<string, readonly string[] | undefined>
>;
const REPORT_LOADS = new URL('../fixtures/report-loads.mjs', import.meta.url).href;
const makeDirectory = temporaryDirectories();

describe('bad input', () => {
  it.each<[string, readonly string[], string]>([
    ['an unknown command', ['dance'], "unknown command 'dance'"],
    ['an unknown flag', ['status', '--colour'], "unknown option '--colour'"],
    ['a flag without its value', ['status', '--broker'], "option '--broker <url>' argument missing"],
    ['too many operands', ['status', 'now'], "too many arguments for 'status'"],
    ['no operand', ['cancel'], "missing required argument 'item'"],
    ['a broker that is none', ['status', '--broker', 'http://x'], 'must be a URL such as mqtt://host:1883'],
    ['a bad node id', ['items', '--id', 'Al pha'], 'id "Al pha" (--id)'],
    ['a bad base', ['items', '--base', 'a//b'], 'base "a//b" (--base)'],
    ['a bad metric', ['node', '--sense', 'guess'], 'sense.metric "guess"'],
    ['a configuration that is not there', ['status', '--config', '/nope.yaml'], '/nope.yaml'],
    ['a program that was not named', ['run'], "missing required argument 'program'"],
    [
      'an input that is not there',
      ['run', '--in', '/nope/x', '--', 'true'],
      '--in /nope/x: must be an existing file or directory',
    ],
    ['no number', ['run', '--cpus', 'many', '--', 'true'], '--cpus many: must be a number above 0'],
    ['a bad item', ['cancel', 'K 9'], 'ITEM K 9: must be an item id'],
    ['a bad target', ['migrate', 'top', '--to', 'B!'], '--to B!: must be a node id'],
    ['a bad port', ['broker', '--port', '99999'], '--port 99999: must be a whole number from 0 to 65535'],
    ['an open broker without passwords', ['broker', '--listen', '0.0.0.0', '--port', '0'], 'needs a password file'],
    ['a bad user', ['broker', 'passwd', 'Bob!'], 'USER Bob!: must be the id of a node'],
  ])('%s exits with 2', async (_what, args, message) => {
    const ended = await tritmesh(args);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^tritmesh: /);
    expect(ended.stderr).toContain(message);
  });

  it('that is broken yaml names the line and exits with 2', async () => {
    const path = join(makeDirectory(), 'config.yaml');
    writeFileSync(path, 'id: alpha\nbase: [\n');
    const ended = await tritmesh(['status', '--config', path]);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/config\.yaml:\d+\): must be valid yaml/);
  });
});

describe('a broker that is down', () => {
  it('is reported, and a command that only shows something exits with 1', async () => {
    const stateDir = makeDirectory();
    const ended = await tritmesh(['status', '--broker', 'mqtt://127.0.0.1:1', '--state-dir', stateDir]);
    const here = `no node is running here (state directory ${stateDir}; "tritmesh up" starts one)`;
    const there = 'the broker cannot be reached: connection refused at mqtt://127.0.0.1:1';
    expect(ended).toEqual({ code: 1, stdout: '', stderr: `tritmesh: ${here}, and ${there}\n` });
  });
});

describe('a cold start of tritmesh status', () => {
  it('loads no module that only nodes, brokers or transfers need', async () => {
    const file = join(makeDirectory(), 'loads');
    const args = [
      '--import',
      `${REPORT_LOADS}?file=${encodeURIComponent(file)}`,
      MAIN,
      'status',
      '--broker',
      'mqtt://127.0.0.1:1',
    ];
    await runProgram(process.execPath, args);
    const loaded = readFileSync(file, 'utf8').split('\n').flatMap(listModules);
    expect(loaded.some((line) => line.includes('/src/cli/commands/status.js'))).toBe(true);
    expect(loaded.some((line) => line.includes('/node_modules/mqtt/'))).toBe(true);
    const heavy =
      /\/node_modules\/(aedes|execa|level|classic-level|systeminformation|@peculiar|yaml|pino|ws|tinyglobby)/;
    expect(loaded.filter((line) => heavy.test(line))).toEqual([]);
    const ours = loaded.flatMap(
      (line) => /\/dist\/src\/(node|pipelines|journal|run|transfer|identity)\//.exec(line) ?? [],
    );
    expect(ours).toEqual([]);
  });
});

describe('help and configuration', () => {
  it('are printed with exit code 0', async () => {
    expect(await tritmesh(['--help'])).toMatchObject({ code: 0, stderr: '' });
    expect(await tritmesh(['run', '--help'])).toMatchObject({ code: 0, stderr: '' });
    expect((await tritmesh(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('say where each value came from', async () => {
    const directory = makeDirectory();
    const path = join(directory, 'config.yaml');
    writeFileSync(path, 'base: home/mesh\n');
    const flags = ['--config', path, '--state-dir', directory, '--trit-plus-above', '0.9', '--json'];
    const { stdout, code } = await tritmesh(['config', ...flags]);
    expect(code).toBe(0);
    const entries = JSON.parse(stdout) as { key: string; value: unknown; origin: string }[];
    const find = (key: string): object | undefined => entries.find((one) => one.key === key);
    expect(find('base')).toMatchObject({ value: 'home/mesh', origin: `${path}:1` });
    expect(find('trit.plus_above')).toMatchObject({ value: 0.9, origin: '--trit-plus-above' });
    expect(find('state_dir')).toMatchObject({ value: directory, origin: '--state-dir' });
    expect(find('rebalance')).toMatchObject({ value: 'pairs', origin: 'default' });
  });
});

/** The modules in a loaded file: those of a bundle, else the file itself. */
function listModules(url: string): readonly string[] {
  const chunk = /\/dist\/((?:bin|program)\/.*)$/.exec(url)?.[1];
  return chunk === undefined ? [url] : (MODULES[chunk] ?? []).map((module) => `/${module}`);
}

function tritmesh(args: readonly string[]): Promise<Ended> {
  return runProgram(process.execPath, [MAIN, ...args]);
}
