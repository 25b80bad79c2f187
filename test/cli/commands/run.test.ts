/** `tritmesh run` on a mesh of one node: output byte for byte, exit codes, Ctrl-C. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createBroker, type RunningBroker } from '../../../broker/create-broker.js';
import { allUp, isStatus, openScene, type BusListener, type NodeProcess, type Scene } from '../../support/programs.js';

const MAIN = fileURLToPath(new URL('../../../dist/bin/tritmesh.js', import.meta.url));

let broker: RunningBroker;
let scene: Scene;
let node: NodeProcess;
let ear: BusListener;
let directory: string;

beforeAll(async () => {
  broker = await createBroker({ base: 'tritmesh', port: 0 });
  scene = openScene(broker.url);
  ear = await scene.ear();
  node = await scene.node('alpha', 'fixed:0.1', { TRITMESH_TRIT_MINUS_HOLD_MS: '0' });
  await allUp(ear, ['alpha']);
  directory = await scene.directory();
});

afterAll(async () => {
  await scene.end();
  await broker.close();
});

describe('tritmesh run', () => {
  it('has the output and the exit code of the job', async () => {
    const ended = await run(['--', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
    expect(ended).toEqual({ code: 7, stdout: Buffer.from('out\n'), stderr: 'err\n' });
  });

  it('prints each byte once, also binary output and output too fast for the bus', async () => {
    const bytes = Buffer.alloc(600_000, 'tritmesh says: äöü \n');
    bytes.set([0xff, 0xfe, 0x00, 0x80], 300_000);
    writeFileSync(join(directory, 'blob'), bytes);
    const { code, stdout } = await run(['--in', 'blob', '--', 'sh', '-c', 'echo begin; sleep 0.3; cat blob']);
    expect(code).toBe(0);
    expect(Buffer.concat([Buffer.from('begin\n'), bytes]).equals(stdout)).toBe(true);
  });

  it('brings output files home and reads stdin from a file', async () => {
    writeFileSync(join(directory, 'lines'), 'b\na\n');
    const { code } = await run(['--stdin', 'lines', '--out', '*.sorted', '--', 'sh', '-c', 'sort > lines.sorted']);
    expect(code).toBe(0);
    expect(readFileSync(join(directory, 'lines.sorted'), 'utf8')).toBe('a\nb\n');
  });

  it('reports a program that does not exist', async () => {
    const { code, stderr } = await run(['--', 'no-such-program-here']);
    expect(code).toBe(127);
    expect(stderr).toContain('no-such-program-here');
    expect(stderr).toContain('not found on alpha');
  });

  it('prints the end as one JSON document with --json', async () => {
    const { code, stdout } = await run(['--json', '--', 'sh', '-c', 'echo hidden; exit 3']);
    expect(code).toBe(3);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      owner: 'alpha',
      phase: 'done',
      exit_code: 3,
      receiver: 'alpha',
    });
  });

  it('prints the id and exits with --no-wait; logs shows the output that came home', async () => {
    const submitted = await run(['--no-wait', '--', 'echo', 'later']);
    expect(submitted.code).toBe(0);
    const item = submitted.stdout.toString().trim();
    await ear.next(isStatus(item, 'done'));
    expect(await scene.command(node, ['logs', item])).toMatchObject({ code: 0, stdout: 'later\n' });
  });

  it('cancels its item at Ctrl-C and exits with 130', async () => {
    const { code, stderr } = await run(['--', 'sh', '-c', 'echo ready; sleep 60'], (child, stdout) => {
      if (stdout.includes('ready')) child.kill('SIGINT');
    });
    expect(code).toBe(130);
    expect(stderr).toMatch(/cancelling .*; press Ctrl-C again to stop waiting for it/);
    expect(stderr).toMatch(/was cancelled/);
  });

  it('stops waiting at the second Ctrl-C and shows how to check the item', async () => {
    // Two signals of the same number may be delivered as one.
    const { code, stderr } = await run(['--', 'sh', '-c', 'echo ready; sleep 60'], (child, stdout) => {
      if (stdout.includes('ready') && child.kill('SIGINT')) child.kill('SIGTERM');
    });
    expect(code).toBe(130);
    expect(stderr).toMatch(/stopped waiting for \S+; check it with: tritmesh items, tritmesh logs -f/);
    const [, item = ''] = /stopped waiting for (\S+);/.exec(stderr) ?? [];
    // The cancellation of the first Ctrl-C may have arrived already, or not.
    await scene.command(node, ['cancel', item]);
    await ear.next(isStatus(item, 'cancelled'));
  });
});

describe('tritmesh items, cancel and retry', () => {
  it('report why a node refuses', async () => {
    expect(await scene.command(node, ['cancel', 'nothing-such'])).toMatchObject({ code: 1, stdout: '' });
    const retried = await scene.command(node, ['retry', 'nothing-such']);
    expect(retried).toMatchObject({ code: 1 });
    expect(retried.stderr).toMatch(/^tritmesh: retry: /);
  });

  it('show why an item waits', async () => {
    const submitted = await run(['--no-wait', '--label', 'gpu', '--', 'true']);
    const item = submitted.stdout.toString().trim();
    await ear.next((one) => isStatus(item, 'queued')(one) && one.text.includes('lacks the label gpu'));
    const { stdout } = await scene.command(node, ['items']);
    expect(stdout).toContain(`alpha/${item} (true) is queued`);
    expect(stdout).toContain('  alpha: it lacks the label gpu');
    expect(await scene.command(node, ['cancel', item])).toMatchObject({ code: 0 });
    await ear.next(isStatus(item, 'cancelled'));
  });
});

describe('tritmesh run without its node', () => {
  it('reports that the node is not known', async () => {
    const stranger = await scene.directory();
    const args = ['status', '--json'];
    expect((await scene.command(node, args)).code).toBe(0);
    const ended = await runAs(['--id', 'omega', '--state-dir', stranger], ['--', 'true']);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('no node "omega" is known below tritmesh');
  });
});

describe('tritmesh run and a broker that goes away', () => {
  it('reports it once and carries on', async () => {
    const { port } = broker;
    let isDown: Promise<void> | undefined;
    const waiting = run(['--', 'sh', '-c', 'echo begin; sleep 3; echo end'], (_child, stdout) => {
      if (stdout.includes('begin')) isDown ??= broker.close();
    });
    await ear.next((one) => one.topic.includes('/log/') && one.text.includes('begin'));
    await vi.waitUntil(() => isDown !== undefined, { timeout: 30_000 });
    await isDown;
    broker = await createBroker({ base: 'tritmesh', port });
    const { code, stdout, stderr } = await waiting;
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 0, stdout: 'begin\nend\n' });
    expect(stderr.match(/still trying/g)).toHaveLength(1);
  });
});

interface RunEnd {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

type Watcher = (child: ReturnType<typeof spawn>, stdout: string) => void;

function run(args: readonly string[], watch?: Watcher): Promise<RunEnd> {
  return runAs(['--id', 'alpha', '--state-dir', node.stateDir], args, watch);
}

async function runAs(who: readonly string[], args: readonly string[], watch: Watcher = () => {}): Promise<RunEnd> {
  const child = spawn(process.execPath, [MAIN, 'run', '--broker', broker.url, ...who, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.push(chunk);
    watch(child, Buffer.concat(stdout).toString());
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: Buffer.concat(stdout), stderr };
}
