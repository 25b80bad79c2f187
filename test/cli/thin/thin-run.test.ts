/**
 * `tritmesh run` on the thin path: it loads next to nothing, says and does what the whole program would, and leaves to
 * it what takes long or goes wrong.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createBroker, type RunningBroker } from '../../../broker/create-broker.js';
import { localDirectory, localSocketPath } from '../../../src/bus/local/local-place.js';
import {
  allUp,
  cleanEnvironment,
  MAIN,
  openScene,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../../support/programs.js';

const REPORT_LOADS = new URL('../../fixtures/report-loads.mjs', import.meta.url).href;
/** Forces the whole program: the thin path does not know this key. */
const WHOLE = { TRITMESH_LOG_LEVEL: 'info' };

let broker: RunningBroker;
let scene: Scene;
let node: NodeProcess;
let ear: BusListener;
let directory: string;

beforeAll(async () => {
  broker = await createBroker({ base: 'tritmesh', port: 0 });
  scene = openScene(broker.url);
  ear = await scene.ear();
  const quick = { TRITMESH_TRIT_MINUS_HOLD_MS: '0' };
  node = await scene.node('alpha', 'fixed:0.1', quick);
  await scene.node('beta', 'fixed:0.1', quick);
  await allUp(ear, ['alpha', 'beta']);
  directory = await scene.directory();
});

afterAll(async () => {
  await scene.end();
  await broker.close();
});

describe('a job that is quickly over', () => {
  it('is run without loading the program', async () => {
    const job = start(['run', '--', 'sh', '-c', 'echo out; exit 3']);
    expect(await job.ended()).toBe(3);
    expect(job.stdout()).toBe('out\n');
    expect(job.loadsProgram()).toBe(false);
    const built = JSON.parse(readFileSync(join(MAIN, '../../modules.json'), 'utf8')) as Record<string, string[]>;
    expect(built['bin/tritmesh.js']?.filter((module) => !module.startsWith('dist/src/'))).toEqual([]);
    const builtins = readFileSync(MAIN, 'utf8').match(/require\([^)]+\)/g) ?? [];
    const allowed = ['fs', 'net', 'os', 'path', 'tty'].map((name) => `require("node:${name}")`);
    expect([...new Set(builtins)].toSorted()).toEqual(allowed);
  });

  it.each([
    ['output and an exit code', ['run', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']],
    ['each step', ['run', '-v', '--here', '--', 'sleep', '0.5']],
    ['a program that is not there', ['run', '--here', '--', 'no-such-program']],
    ['a signal', ['run', '--here', '--', 'sh', '-c', 'kill -9 $$']],
    ['variables and a name', ['run', '--env', 'A=1', '--env=HOME', '--name', 'n', '--', 'sh', '-c', 'echo $A $HOME']],
    ['a limit', ['run', '--here', '--wall', '300ms', '--', 'sleep', '60']],
    ['an id only', ['run', '--no-wait', '--', 'true']],
    ['a deferred item', ['defer', '--', 'true']],
    ['a flag that the node refuses', ['run', '--on', 'B!', '--', 'true']],
    ['a variable that is no name', ['run', '--env', '1A=x', '--', 'true']],
    ['a number that is none', ['run', '--cpus', 'many', '--', 'true']],
    ['flags that exclude each other', ['run', '--here', '--away', '--', 'true']],
  ])('looks as from the whole program: %s', async (_what, args) => {
    const [thin, whole] = await Promise.all(
      [{}, WHOLE].map(async (env) => {
        const job = start(args, env);
        return { code: await job.ended(), stdout: plain(job.stdout()), stderr: lasting(plain(job.stderr())) };
      }),
    );
    expect(thin).toEqual(whole);
  });

  it('has output that is too large for the bus, in order', async () => {
    const job = start(['run', '--', 'sh', '-c', 'seq 300000; echo end >&2']);
    expect(await job.ended()).toBe(0);
    expect(job.stdout()).toBe(Array.from({ length: 300_000 }, (_, at) => `${at + 1}\n`).join(''));
    expect(job.stderr()).toBe('end\n');
  });
});

/** Steps that may pass too quickly to be published are left out. */
function lasting(text: string): string {
  return text.replaceAll(/^.* is (?:queued|offered|acked|returning)\b.*\n/gm, '');
}

describe('a job that takes longer', () => {
  it('is left to the whole program, and each byte appears once, also from another node', async () => {
    const go = join(directory, 'go-away');
    const job = start([
      'run',
      '--on',
      'beta',
      '--',
      'sh',
      '-c',
      `echo one; until [ -e ${go} ]; do sleep 0.1; done; echo two`,
    ]);
    await job.says('stdout', 'one');
    await vi.waitUntil(() => job.loadsProgram(), { timeout: 60_000 });
    writeFileSync(go, '');
    expect(await job.ended()).toBe(0);
    expect(job.stdout()).toBe('one\ntwo\n');
    expect(job.stderr()).toBe('');
  });

  it('is cancelled when nobody reads its output any more', async () => {
    const job = start(['run', '--', 'sh', '-c', 'while :; do echo y; sleep 0.1; done']);
    await job.says('stdout', 'y');
    job.child.stdout?.destroy();
    expect(await job.ended()).toBe(141);
    await ear.next((one) => one.topic.endsWith('/status') && one.text.includes('"cancelled"'));
  });

  it('survives that its node is killed, and is awaited by the whole program', async () => {
    const go = join(directory, 'go-killed');
    const job = start([
      'run',
      '--here',
      '--',
      'sh',
      '-c',
      `echo one; until [ -e ${go} ]; do sleep 0.1; done; echo two; exit 5`,
    ]);
    await job.says('stdout', 'one');
    await node.kill();
    await node.start();
    writeFileSync(go, '');
    expect(await job.ended()).toBe(5);
    expect(job.stdout()).toBe('one\ntwo\n');
  });
});

describe('a node that is not as expected', () => {
  it.each([
    ['one of a former version', '{"type":"hello","node":"gamma","base":"tritmesh"}\n'],
    ['one of a newer version', '{"type":"hello","node":"gamma","base":"tritmesh","online":true,"submit":2}\n'],
    ['a program that sends anything', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a program that hangs up', ''],
  ])('is left to the whole program: %s', async (_what, hello) => {
    const stateDir = await scene.directory();
    mkdirSync(localDirectory(stateDir));
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (hello === '') socket.destroy();
      else socket.write(hello);
    }).listen(localSocketPath(stateDir));
    await once(server, 'listening');
    const job = start(['run', '--', 'true'], {}, { id: 'gamma', stateDir });
    expect(await job.ended()).toBe(1);
    expect(job.stderr()).toContain('no node "gamma" is known below tritmesh; is it running?');
    server.close();
  });

  it.each([
    ['before the node has the item', 'submit'],
    ['before the node has answered', 'accepted'],
  ])('has its item once when the line ends %s', async (_what, cut) => {
    const runs = join(directory, `runs-${cut}`);
    const path = localSocketPath(node.stateDir);
    renameSync(path, `${path}-real`);
    let isFirst = true;
    const server = createServer((program) => {
      const to = connect(`${path}-real`);
      const end = isFirst ? cut : '';
      isFirst = false;
      relay(program, to, end);
      relay(to, program, end);
    }).listen(path);
    await once(server, 'listening');
    const job = start(['run', '--', 'sh', '-c', `echo run >> ${runs}; exit 3`]);
    expect(await job.ended()).toBe(3);
    expect(readFileSync(runs, 'utf8')).toBe('run\n');
    expect(isFirst).toBe(false);
    expect(job.loadsProgram()).toBe(true);
    server.close();
    renameSync(`${path}-real`, path);
  });
});

describe('a program that submits as nobody would', () => {
  it.each([
    ['no item', {}, /^item\.\w+/],
    ['a path to read', item({ inputs: ['/etc/shadow'] }), /names files/],
    ['a directory to write to', item({ destination: '/etc' }), /names files/],
    ['files to bring back', item({}, { outputs: ['*'] }), /names files/],
    ['a process', item({ process: { pid: 1, start: '1' } }), /names files or a process/],
    ['a deep item', item({ need: nest(2000) }), /^item\.need/],
  ])('is refused with a reason: %s', async (_what, submitted, reason) => {
    const socket = connect(localSocketPath(node.stateDir));
    let heard = '';
    socket.on('data', (chunk) => (heard += chunk.toString()));
    socket.write(`${JSON.stringify({ type: 'submit', id: 9, item: submitted })}\n`);
    await vi.waitUntil(() => heard.includes('"id":9'), { timeout: 30_000 });
    const answer = heard.split('\n').find((line) => line.includes('"id":9')) ?? '';
    expect(JSON.parse(answer)).toMatchObject({ type: 'refused', reason: expect.stringMatching(reason) as unknown });
    socket.destroy();
  });
});

function item(fields: object, command: object = {}): object {
  return { item: 'submitted-raw', name: 'raw', command: { argv: ['true'], ...command }, ...fields };
}

function nest(depth: number): unknown {
  let value: unknown = 1;
  for (let at = 0; at < depth; at += 1) value = [value];
  return value;
}

/** Passes bytes on until a text passes, and then ends both sides without passing it. */
function relay(from: Socket, to: Socket, end: string): void {
  from.on('error', () => undefined);
  from.on('close', () => to.destroy());
  from.on('data', (chunk) => {
    if (end === '' || !chunk.includes(`"type":"${end}"`)) to.write(chunk);
    else from.destroy();
  });
}

/** Output without what differs from one run to the next. */
function plain(text: string): string {
  return text
    .replaceAll(/[0-9a-z]{8,}-[0-9a-z]{4}/g, 'ITEM')
    .replaceAll(/after [\d.]+ m?s/g, 'after TIME')
    .replaceAll(/[\d.]+ cpu-s/g, 'CPU cpu-s');
}

interface Job {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  says(stream: 'stdout' | 'stderr', text: string): Promise<void>;
  ended(): Promise<number | null>;
  /** Whether the whole program was loaded so far. */
  loadsProgram(): boolean;
}

let jobs = 0;

function start(
  [command = '', ...rest]: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { id, stateDir }: { readonly id: string; readonly stateDir: string } = node,
): Job {
  jobs += 1;
  const loads = join(directory, `loads-${jobs}`);
  const flags = ['--broker', broker.url, '--id', id, '--state-dir', stateDir];
  const report = `--import=${REPORT_LOADS}?file=${encodeURIComponent(loads)}`;
  const child = spawn(process.execPath, [report, MAIN, command, ...flags, ...rest], {
    cwd: directory,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  const closed = once(child, 'exit') as Promise<[number | null]>;
  const drained = once(child, 'close');
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => (said[stream] += chunk.toString()));
  }
  return {
    child,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    says: (stream, text) => vi.waitUntil(() => said[stream].includes(text), { timeout: 60_000 }).then(() => undefined),
    ended: async () => {
      const [code] = await closed;
      await drained;
      return code;
    },
    loadsProgram: () => existsSync(loads) && readFileSync(loads, 'utf8').includes('/dist/program/whole.js'),
  };
}
