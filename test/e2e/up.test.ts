/**
 * `tritmesh up` alone on a machine: the state of broker and node survives a restart, and no process that it starts has
 * a file of either open. The shell that starts it leaves descriptors open, as desktop sessions and editors do.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  cleanEnvironment,
  fields,
  isStatus,
  MAIN,
  openScene,
  QUICK,
  runProgram,
  type BusListener,
  type Scene,
} from '../support/programs.js';

/** A descriptor far above those that Node.js itself marks close-on-exec. */
const STRAY_FD = 77;

let directory: string;
let stateDir: string;
let port: number;
let scene: Scene;
let running: ChildProcess | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tritmesh-up-'));
  stateDir = join(directory, 'state');
  port = await findPort();
  scene = openScene(`mqtt://127.0.0.1:${port}`);
  await writeFile(join(directory, 'stray'), 'of a stranger');
});
afterEach(async () => {
  await scene.end();
  if (running !== undefined) await end('SIGTERM');
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Starts `tritmesh up` from a shell that has a file open; resolves with the node's first state. */
async function up(): Promise<BusListener> {
  const words = [process.execPath, MAIN, 'up', '--id', 'alpha', '--port', String(port), '--state-dir', stateDir];
  const script = `exec "$@" ${STRAY_FD}<"$0"`;
  // Only bash and similar shells can redirect a descriptor with two digits.
  running = spawn('bash', ['-c', script, join(directory, 'stray'), ...words, '--sense', 'fixed:0.1'], {
    env: { ...cleanEnvironment(), ...QUICK },
    stdio: 'ignore',
  });
  // The broker may not listen yet; the client retries until it does.
  const ear = await scene.ear();
  await ear.next((one) => one.topic === 'tritmesh/node/alpha/state' && !one.retained);
  return ear;
}

async function end(signal: NodeJS.Signals): Promise<void> {
  const child = running;
  running = undefined;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** All descendants of a process, in any session. */
function listDescendants(root: number): readonly number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'latin1' }).trim().split('\n');
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number));
  const found = new Set([root]);
  // Parents come before their children only if pids never wrapped around.
  for (let size = 0; size !== found.size;) {
    size = found.size;
    for (const [pid = 0, parent = 0] of pairs) if (found.has(parent)) found.add(pid);
  }
  found.delete(root);
  return [...found];
}

/** The open files of all descendants of `up`, without `up` itself. */
async function listOpenFiles(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const below of listDescendants(running?.pid ?? 0)) {
    const folder = `/proc/${below}/fd`;
    for (const descriptor of await readdir(folder).catch(() => [])) {
      const target = await readlink(join(folder, descriptor)).catch(() => '');
      if (target.startsWith('/') && !target.startsWith('/dev/')) found.push(target);
    }
  }
  return found;
}

/** The node that the commands are for. */
function alpha(): { readonly id: string; readonly stateDir: string } {
  return { id: 'alpha', stateDir };
}

/** Submits a job and waits for its status in a phase; returns its id. */
async function submit(ear: BusListener, phase: string, ...argv: readonly string[]): Promise<string> {
  const submitted = await scene.command(alpha(), ['run', '--no-wait', '--', ...argv]);
  expect(submitted.code, submitted.stderr).toBe(0);
  const item = submitted.stdout.trim();
  await ear.next(isStatus(item, phase));
  return item;
}

describe('tritmesh up', () => {
  it('keeps its state directory private, and is renamed by a command with another broker', async () => {
    const ear = await up();
    expect((await stat(stateDir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(stateDir, 'broker'))).mode & 0o777).toBe(0o700);
    const elsewhere = ['--broker', 'mqtt://127.0.0.1:1', '--state-dir', stateDir];
    const ran = await runProgram(process.execPath, [MAIN, 'run', ...elsewhere, '--', 'echo', 'hi']);
    expect(ran).toMatchObject({ code: 0, stdout: 'hi\n' });
    expect(ran.stderr).toContain(`alpha uses the broker ${scene.broker}: name it with --broker or TRITMESH_BROKER`);
    expect(ran.stderr).not.toContain('alone');
    const args = [MAIN, 'rename', 'omega', ...elsewhere];
    const renamed = await runProgram(process.execPath, args);
    expect(renamed).toMatchObject({ code: 0, stdout: 'alpha is now omega\n' });
    await ear.next((one) => one.topic === 'tritmesh/node/omega/availability' && one.text === 'online');
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'has after a restart what broker and node kept, ended by %s',
    async (signal) => {
      const ear = await up();
      await ear.publish('tritmesh/node/ghost/trit', '1', true);
      const item = await submit(ear, 'done', 'sh', '-c', 'exit 3');
      // The store is written after the message is published: wait for the file, not for the message.
      await vi.waitFor(async () => {
        const store = await readStore();
        expect(store).toContain('tritmesh/node/ghost/trit');
        expect(store).toContain(`work/alpha/${item}/status`);
        expect(store).toContain('"phase":"done"');
      });
      // Its client would publish the retained message again, to the new broker.
      await ear.close();
      await end(signal);

      const again = await up();
      const ghost = await again.next((one) => one.topic === 'tritmesh/node/ghost/trit');
      expect(ghost).toMatchObject({ text: '1', retained: true });
      const status = await again.next((one) => isStatus(item, 'done')(one) && one.retained);
      expect(fields(status)).toMatchObject({ phase: 'done', exit_code: 3 });
      // Items are in the node's journal, not in the broker: the node refuses to cancel one that has ended.
      const cancelled = await scene.command(alpha(), ['cancel', item]);
      expect(cancelled.stdout + cancelled.stderr).toContain('done');
    },
  );

  it('starts no process that holds a file of the broker, of the journal or of its shell', async () => {
    const ear = await up();
    const early = await listOpenFiles();
    const item = await submit(ear, 'running', 'sh', '-c', 'ls -l /proc/self/fd; sleep 600');
    const during = await listOpenFiles();
    // The job runs and has only the output open.
    expect(during.filter((file) => file.endsWith('/stdout')).length).toBeGreaterThan(0);
    const strange = [...early, ...during].filter(
      (file) => /\/(?:broker|journal(?:-\d+)?)\//.test(file) || file.endsWith('/stray'),
    );
    expect(strange).toEqual([]);
    await scene.command(alpha(), ['cancel', item]);
    await ear.next(isStatus(item, 'cancelled'));
  });
});

/** Everything that the broker's store has written: LevelDB keeps it unchanged in its log. */
async function readStore(): Promise<string> {
  const folder = join(stateDir, 'broker/retained');
  const logs = (await readdir(folder)).filter((name) => /^\d+\.(?:log|ldb)$/.test(name));
  const texts = await Promise.all(logs.map((name) => readFile(join(folder, name), 'latin1')));
  return texts.join('');
}
