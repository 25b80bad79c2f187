/**
 * The broker is down, or was never there: commands still reach their own node, it runs its own work if it may, and
 * waiting items report why. All with real programs.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requirement } from '../support/requirements.js';
import { temporaryDirectories } from '../support/temporary-directory.js';
import { BROKERS, takeTurns, type TestBroker } from '../support/brokers.js';
import {
  allUp,
  cleanEnvironment,
  isStatus,
  MAIN,
  openScene,
  runProgram,
  upAfter,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';

/** Nothing listens there. */
const NOWHERE = 'mqtt://127.0.0.1:1';
const REFUSED = /connection refused at mqtt:\/\/127\.0\.0\.1:1/;
const QUICK_TRIT = { TRITMESH_TRIT_MINUS_HOLD_MS: '0' };
const makeDirectory = temporaryDirectories();

const IS_ROOT = requirement(
  'root on Linux to be another user',
  process.platform === 'linux' && process.getuid?.() === 0,
  'run the tests as root',
);

let scene: Scene;
afterEach(() => scene.end());

/** Waits for the node's socket: from then on it accepts commands. */
async function untilOpen({ stateDir }: NodeProcess): Promise<void> {
  await expect.poll(() => existsSync(join(stateDir, 'local', 'socket')), { timeout: 30_000 }).toBe(true);
}

async function openNode(id: string, sense: string, parent?: string): Promise<NodeProcess> {
  const node = await scene.node(id, sense, QUICK_TRIT, parent === undefined ? {} : { parent });
  await untilOpen(node);
  return node;
}

describe('a node that has never seen its broker', () => {
  beforeEach(() => {
    scene = openScene(NOWHERE);
  });

  it('runs its own work, with output and exit code, and reports once that the broker is unreachable', async () => {
    const node = await openNode('alpha', 'fixed:0.1');
    const ended = await scene.command(node, ['run', '--', 'sh', '-c', 'echo hi; exit 3']);
    expect(ended).toMatchObject({ code: 3, stdout: 'hi\n' });
    expect(ended.stderr).toMatch(REFUSED);
    expect(ended.stderr.match(/alpha carries on without it/g)).toHaveLength(1);
  });

  it('runs jobs with input files, and returns output files', async () => {
    const node = await openNode('alpha', 'fixed:0.5');
    const directory = await scene.directory();
    appendFileSync(join(directory, 'lines'), 'b\na\n');
    const args = ['run', '--in', 'lines', '--out', 'sorted', '--', 'sh', '-c', 'sort lines > sorted'];
    expect(await scene.command(node, args, directory)).toMatchObject({ code: 0 });
    expect(readFileSync(join(directory, 'sorted'), 'utf8')).toBe('a\nb\n');
  });

  it('obeys every command about itself, and shows what it knows about itself and no more', async () => {
    const node = await openNode('alpha', 'fixed:0.1');
    const submitted = await scene.command(node, ['run', '--no-wait', '--', 'sleep', '60']);
    const item = submitted.stdout.trim();
    const items = async (): Promise<string> => (await scene.command(node, ['items', '--all'])).stdout;
    await expect.poll(items, { timeout: 30_000 }).toMatch(new RegExp(`${item} +alpha +sleep +running`));
    expect(await scene.command(node, ['cancel', item])).toMatchObject({ code: 0 });
    await expect.poll(items, { timeout: 30_000 }).toMatch(new RegExp(`${item} +alpha +sleep +cancelled`));
    expect((await scene.command(node, ['retry', item])).stderr).toContain('only a lost item can be retried');

    const deferred = await scene.command(node, ['defer', '--', 'echo', 'idle work']);
    const logs = async (): Promise<string> => (await scene.command(node, ['logs', deferred.stdout.trim()])).stdout;
    await expect.poll(logs, { timeout: 30_000 }).toBe('idle work\n');

    const status = await scene.command(node, ['status', '--json']);
    expect(status.code).toBe(0);
    expect(status.stderr).toContain('the output covers alpha only, not the other nodes');
    expect(JSON.parse(status.stdout)).toMatchObject({
      online: 1,
      members: [{ id: 'alpha', online: true }],
      broker: { online: false, reason: expect.stringMatching(REFUSED) as string },
    });

    expect(await scene.command(node, ['drain'])).toMatchObject({ code: 0 });
    const waiting = await scene.command(node, ['run', '--no-wait', '--', 'true']);
    await expect.poll(items, { timeout: 30_000 }).toMatch(/so only alpha could take it: it is draining/);
    expect(await scene.command(node, ['resume'])).toMatchObject({ code: 0 });
    await expect.poll(items, { timeout: 30_000 }).toMatch(new RegExp(`${waiting.stdout.trim()} +alpha +true +done`));

    const other = await scene.command(node, ['cancel', `beta/${item}`]);
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toMatch(REFUSED);
  });

  it('is reported by doctor, with the missing broker', async () => {
    const node = await openNode('alpha', 'fixed:0.1');
    const doctor = await scene.command(node, ['doctor', '--json']);
    expect(doctor.code).toBe(1);
    const findings = JSON.parse(doctor.stdout) as { what: string; verdict: string; found: string }[];
    expect(findings.find((one) => one.what === 'broker')).toMatchObject({
      verdict: 'broken',
      found: expect.stringMatching(REFUSED) as string,
    });
    expect(findings.find((one) => one.what === 'node alpha')).toMatchObject({
      verdict: 'good',
      found: 'online and answering',
    });
    expect(findings.find((one) => one.what === 'local socket')).toMatchObject({ verdict: 'good' });
  });

  it('resumes its work after a restart without a broker', async () => {
    const node = await openNode('alpha', 'fixed:0.1');
    const directory = await scene.directory();
    const go = join(directory, 'go');
    const program = `until [ -e ${go} ]; do sleep 0.1; done; echo lived on`;
    const { stdout: item } = await scene.command(node, ['run', '--no-wait', '--', 'sh', '-c', program]);
    await expect
      .poll(async () => (await scene.command(node, ['items'])).stdout, { timeout: 30_000 })
      .toContain('running');
    await node.kill();
    expect(existsSync(join(node.stateDir, 'local', 'socket'))).toBe(true);
    const neither = await scene.command(node, ['items']);
    expect(neither.stderr).toContain('no node is running here');
    await node.start();
    await expect
      .poll(async () => (await scene.command(node, ['items'])).stdout, { timeout: 30_000 })
      .toContain('running');
    appendFileSync(go, '');
    const logs = async (): Promise<string> => (await scene.command(node, ['logs', item.trim()])).stdout;
    await expect.poll(logs, { timeout: 30_000 }).toBe('lived on\n');
  });

  it('can be one of two on this machine, each with its own socket, also in unusual places', async () => {
    const spaces = join(makeDirectory(), 'a state ünd "quotes"');
    const deep = join(makeDirectory(), ...Array.from({ length: 6 }, (_, at) => `level-${at}`.padEnd(60, 'x')));
    mkdirSync(spaces);
    mkdirSync(deep, { recursive: true });
    const [alpha, beta] = await Promise.all([
      openNode('alpha', 'fixed:0.1', spaces),
      openNode('beta', 'fixed:0.1', deep),
    ]);
    for (const node of [alpha, beta]) {
      const ended = await scene.command(node, ['run', '--', 'sh', '-c', 'echo $TRITMESH_NODE']);
      expect(ended).toMatchObject({ code: 0, stdout: `${node.id}\n` });
    }
    const crossing = ['items', '--broker', NOWHERE, '--id', 'beta', '--state-dir', alpha.stateDir];
    const crossed = await runProgram(process.execPath, [MAIN, ...crossing]);
    expect(crossed).toMatchObject({ code: 1, stdout: '' });
    expect(crossed.stderr).toContain('is alpha with base topic tritmesh, expected beta with base topic tritmesh');
  });

  it.skipIf(!IS_ROOT)('takes no commands of another user, and says so', async () => {
    // Everyone may read the directory itself.
    const parent = makeDirectory();
    chmodSync(parent, 0o755);
    const node = await openNode('alpha', 'fixed:0.1', parent);
    chmodSync(node.stateDir, 0o755);
    const args = [MAIN, 'drain', '--broker', NOWHERE, '--id', 'alpha', '--state-dir', node.stateDir];
    const ended = await runProgram('setpriv', [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      'env',
      'HOME=/',
      process.execPath,
      ...args,
    ]);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(
      /the node here does not accept commands from user \S+ \(permission denied at .*socket\)/,
    );
    expect(ended.stderr).not.toContain('    at ');
  });
});

describe('neither a node nor a broker', () => {
  it.each([['run', '--', 'true'], ['status'], ['items'], ['drain']])(
    '%s says both, and how to begin',
    async (...args) => {
      scene = openScene(NOWHERE);
      const stateDir = join(makeDirectory(), 'empty');
      const [command = '', ...rest] = args;
      const ended = await runProgram(process.execPath, [
        MAIN,
        command,
        '--broker',
        NOWHERE,
        '--id',
        'alpha',
        '--state-dir',
        stateDir,
        ...rest,
      ]);
      expect(ended).toMatchObject({ code: 1, stdout: '' });
      expect(ended.stderr).toBe(
        `tritmesh: no node is running here (state directory ${stateDir}; "tritmesh up" starts one), and the broker cannot be reached: connection refused at ${NOWHERE}\n`,
      );
    },
  );
});

describe.each(BROKERS)('$name stops', ({ isThere, name, open }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);
  const onTurn = takeTurns(name);
  let broker: TestBroker;
  let ear: BusListener;
  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    ear = await scene.ear();
  });
  afterEach(() => broker.close());

  onTurn('and a PLUS node reports why its item waits; when the broker is back, it runs elsewhere, once', async () => {
    const [alpha, beta] = await Promise.all([openNode('alpha', 'fixed:1.5'), openNode('beta', 'fixed:0.1')]);
    await allUp(ear, ['alpha', 'beta']);
    await expect
      .poll(async () => (await scene.command(alpha, ['status'])).stdout, { timeout: 30_000 })
      .toMatch(/beta +-1 MINUS/);
    await broker.stop();
    await expect.poll(alpha.output, { timeout: 30_000 }).toContain('not connected to the broker');

    const ran = join(await scene.directory(), 'ran');
    const program = `echo "$TRITMESH_NODE" | tee -a ${ran}; exit 4`;
    const child = begin(alpha, ['run', '--', 'sh', '-c', program]);
    await expect
      .poll(child.stderr, { timeout: 30_000 })
      // Mosquitto publishes all wills when it stops.
      .toMatch(
        /is queued: the broker is away \(.*\), so only alpha could take it: it is PLUS \(overloaded\)\n {2}.*beta: (it cannot be reached|offline)/s,
      );
    expect((await scene.command(alpha, ['items'])).stdout).toContain(
      'so only alpha could take it: it is PLUS (overloaded)',
    );
    // It is not PLUS, so it runs the item at once.
    expect(await scene.command(beta, ['run', '--', 'echo', 'here'])).toMatchObject({ code: 0, stdout: 'here\n' });

    await broker.start();
    expect(await child.ended).toBe(4);
    expect(child.stdout()).toBe('beta\n');
    expect(readFileSync(ran, 'utf8')).toBe('beta\n');
  });

  onTurn('in the middle of a run, which continues; its output arrives once and complete', async () => {
    const alpha = await openNode('alpha', 'fixed:0.1');
    await allUp(ear, ['alpha']);
    const go = await scene.directory();
    const lines = `for i in 1 2 3; do while [ ! -e ${go}/$i ]; do sleep 0.05; done; echo "line $i"; echo "note $i" >&2; done; exit 5`;
    const child = begin(alpha, ['run', '--', 'sh', '-c', lines]);
    await ear.next((one) => isRunning(one));
    appendFileSync(join(go, '1'), '');
    await expect.poll(child.stdout, { timeout: 30_000 }).toBe('line 1\n');
    await broker.stop();
    await expect.poll(child.stderr, { timeout: 30_000 }).toContain('alpha carries on without it');
    appendFileSync(join(go, '2'), '');
    await expect.poll(child.stdout, { timeout: 30_000 }).toBe('line 1\nline 2\n');
    const from = ear.heard.length;
    await broker.start();
    await upAfter(ear, 'alpha', from);
    appendFileSync(join(go, '3'), '');
    expect(await child.ended).toBe(5);
    expect(child.stdout()).toBe('line 1\nline 2\nline 3\n');
    expect(child.stderr().match(/note \d/g)).toEqual(['note 1', 'note 2', 'note 3']);
  });

  onTurn('and comes back while an item waits that its node may not run: it is offered as usual', async () => {
    const [alpha] = await Promise.all([openNode('alpha', 'fixed:0.1'), openNode('beta', 'fixed:0.1')]);
    await allUp(ear, ['alpha', 'beta']);
    await broker.stop();
    await expect.poll(alpha.output, { timeout: 30_000 }).toContain('not connected to the broker');
    const { stdout: item } = await scene.command(alpha, ['run', '--no-wait', '--away', '--', 'true']);
    await expect
      .poll(async () => (await scene.command(alpha, ['items'])).stdout, { timeout: 30_000 })
      .toContain('so only alpha could take it: the item must run on a node other than its owner');
    await broker.start();
    const done = await ear.next(isStatus(item.trim(), 'done'));
    expect(JSON.parse(done.text)).toMatchObject({ receiver: 'beta', exit_code: 0, attempts: 1 });
  });

  function isRunning(one: { readonly topic: string; readonly text: string }): boolean {
    return one.topic.endsWith('/status') && one.text.includes('"phase":"running"');
  }
});

interface Begun {
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<number | null>;
}

/** Starts a command without waiting for its end. */
function begin(node: NodeProcess, [command = '', ...rest]: readonly string[]): Begun {
  const args = [MAIN, command, '--id', node.id, '--broker', scene.broker, '--state-dir', node.stateDir, ...rest];
  const child = spawn(process.execPath, args, { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  const parts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (parts.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (parts.stderr += chunk.toString()));
  return {
    stdout: () => parts.stdout,
    stderr: () => parts.stderr,
    ended: once(child, 'close').then(([code]) => code as number | null),
  };
}
