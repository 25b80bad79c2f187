/** What keeps a process from being frozen, found on real processes before anything is stopped. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DumpPreflight } from '../../src/checkpoint/checkpoint.js';
import type { ImageFacts } from '../../src/protocol/image-facts.js';
import { tryReadProcStat } from '../../src/os/proc-stat.js';
import { canFreeze, canFreezeNode, CHECKPOINT } from '../support/criu.js';
import { isThere } from '../support/counters.js';
import { waitForText } from '../support/run-setup.js';

let root: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-inspect-')));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGKILL');
    await gone;
  }
  rmSync(root, { recursive: true, force: true });
});

/** Starts a program that writes a line when it is ready; its stdio is in files. */
async function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  const output = openSync(join(root, 'output'), 'w');
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    detached: true,
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  children.push(child);
  await waitForText(join(root, 'output'), (text) => text.includes('ready'));
  return child.pid ?? 0;
}

const startNode = (text: string, env?: Readonly<Record<string, string>>): Promise<number> =>
  start([process.execPath, '-e', `${text}; setInterval(() => {}, 1000)`], env);

function preflightDump(pid: number): Promise<DumpPreflight> {
  return new Promise((resolve) =>
    CHECKPOINT.preflightDump({ pid, init: null, directory: root, knownAs: null }, resolve),
  );
}

function preflightRestore(facts: ImageFacts): Promise<readonly string[]> {
  return new Promise((resolve) => CHECKPOINT.preflightRestore(facts, root, resolve));
}

describe.skipIf(!canFreeze || !canFreezeNode)('the preflight at the source', () => {
  it('lets a plain program pass, tells what a receiver must have, and stops nothing', async () => {
    const pid = await startNode(`console.log('ready')`);
    const { obstacles, facts } = await preflightDump(pid);
    expect(obstacles).toEqual([]);
    expect(facts).toMatchObject({ root: pid, exe: realpathSync(process.execPath), cwd: root, shell_job: false });
    expect(facts?.pids).toContain(pid);
    expect(facts?.mapped.find(({ path }) => path.includes('libc.so'))?.build_id).toMatch(/^[0-9a-f]{40}$/);
    expect(facts?.files).toEqual([expect.objectContaining({ path: join(root, 'output'), size: 6, carried: true })]);
    expect(facts?.image_bytes).toBeGreaterThan(1_000_000);
    expect(tryReadProcStat(pid)?.state).not.toBe('T');
  });

  it.each([
    [
      'io_uring',
      `const fs = require('fs'); fs.readFile('/etc/passwd', () => console.log('ready'))`,
      /uses io_uring/,
      { UV_USE_IO_URING: '1' },
    ],
    [
      'a connection',
      `const s = require('net').createServer().listen(0, '127.0.0.1', () => require('net').connect(s.address().port, '127.0.0.1', () => console.log('ready')))`,
      /a TCP connection to port \d+ of 127\.0\.0\.1/,
      {},
    ],
    [
      'a device',
      `require('fs').openSync('/dev/kmsg', 'r'); console.log('ready')`,
      /has the device \/dev\/kmsg open/,
      {},
    ],
  ])('tells of %s', async (_what, text, sentence, env) => {
    const { obstacles } = await preflightDump(await startNode(text, env));
    expect(obstacles.length).toBeGreaterThan(0);
    for (const one of obstacles) expect(one).toMatch(sentence);
  });

  it('lets a listening socket pass', async () => {
    const text = `require('net').createServer().listen(0, '127.0.0.1', () => console.log('ready'))`;
    expect((await preflightDump(await startNode(text))).obstacles).toEqual([]);
  });

  it('tells of a unix socket that leads out, and lets one within the tree pass', async () => {
    const child = spawn(process.execPath, ['-e', `process.send('ready'); setInterval(() => {}, 1000)`], {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    children.push(child);
    await once(child, 'message');
    expect((await preflightDump(child.pid ?? 0)).obstacles).toEqual([
      'it is connected by a unix socket to a process outside',
    ]);
    const text = `const c = require('child_process').spawn('sleep', ['600'], { stdio: ['pipe', 'ignore', 'ignore'] }); c.once('spawn', () => console.log('ready'))`;
    const pid = await startNode(text);
    expect((await preflightDump(pid)).obstacles).toEqual([]);
    process.kill(Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1'), 10), 'SIGKILL');
  });

  it('tells of a pipe that leads out', async () => {
    const child = spawn('sh', ['-c', 'echo ready; exec sleep 600'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(child);
    await once(child.stdout ?? child, 'data');
    // What Node.js calls a pipe is a unix socket; a shell makes a real one.
    expect((await preflightDump(child.pid ?? 0)).obstacles).toHaveLength(1);
    const pid = await start(['bash', '-c', 'exec 7> >(exec sleep 600); echo ready; exec sleep 600']);
    const writer = Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1'), 10);
    const { obstacles } = await preflightDump(writer);
    expect(obstacles).toContainEqual(
      expect.stringMatching(new RegExp(String.raw`^it shares a pipe with \w+ \(${pid}\)$`)),
    );
    process.kill(writer, 'SIGKILL');
  });

  it.skipIf(!isThere('script', '--version'))('tells of a terminal', async () => {
    const pid = await start(['script', '-qefc', 'echo ready; sleep 600', '/dev/null']);
    const child = Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1'), 10);
    const { obstacles } = await preflightDump(child);
    expect(obstacles).toContainEqual(expect.stringMatching(/^it has a terminal: start it with setsid/));
    expect(obstacles).toContainEqual(expect.stringMatching(/^it has the terminal \/dev\/pts\/\d+ open$/));
  });

  it('tells of a program that was deleted, of other namespaces, and of what is no process', async () => {
    const program = join(root, 'sleeper');
    copyFileSync(execFileSync('sh', ['-c', 'readlink -f "$(command -v sleep)"'], { encoding: 'utf8' }).trim(), program);
    const pid = await start(['sh', '-c', `echo ready; exec ${program} 600`]);
    await expect.poll(() => tryReadProcStat(pid)?.name).toBe('sleeper');
    unlinkSync(program);
    expect((await preflightDump(pid)).obstacles).toContainEqual(`its program was replaced or deleted: ${program}`);
    const boxed = await start(['unshare', '-m', '-p', '-f', 'sh', '-c', 'echo ready; sleep 600; :']);
    const init = Number.parseInt(readFileSync(`/proc/${boxed}/task/${boxed}/children`, 'latin1'), 10);
    const { obstacles } = await preflightDump(init);
    expect(obstacles).toContainEqual('it is in a pid namespace of its own (a container?)');
    expect(obstacles).toContainEqual('it is in another mount namespace than the node');
    process.kill(init, 'SIGKILL');
    expect((await preflightDump(2)).obstacles).toEqual(['it is a thread of the kernel']);
    expect((await preflightDump(2 ** 22)).obstacles).toEqual(['there is no such process']);
  });
});

describe.skipIf(!canFreeze || !canFreezeNode)('the preflight at the receiver', () => {
  it('finds nothing where everything is the same', async () => {
    const { facts } = await preflightDump(await startNode(`console.log('ready')`));
    expect(await preflightRestore(facts as ImageFacts)).toEqual([]);
  });

  it('tells what is missing or other', async () => {
    const { facts } = await preflightDump(await startNode(`console.log('ready')`));
    const { exe, mapped, files } = facts as ImageFacts;
    const strange: ImageFacts = {
      ...(facts as ImageFacts),
      mapped: [
        ...mapped.map((file) => (file.path === exe ? { ...file, build_id: '00'.repeat(20) } : file)),
        { path: '/no/such/lib.so', build_id: 'aa', size: 1 },
      ],
      cwd: '/no/such/directory',
      files: [...files, { path: '/etc/passwd', size: 1, mode: 0o644, uid: 0, gid: 0, carried: false }],
      pids: [2 ** 22],
      criu: '99.1',
      image_bytes: Number.MAX_SAFE_INTEGER,
    };
    expect(await preflightRestore(strange)).toEqual([
      expect.stringMatching(/^criu \S+ is older than 99\.1, which wrote the image$/),
      `its program is another build: ${exe}`,
      'a library or file that it has mapped is missing: /no/such/lib.so',
      'its working directory is missing: /no/such/directory',
      'a file that it has open has another size: /etc/passwd',
      expect.stringMatching(/^its pid \d+ is above the highest one here, \d+$/),
      expect.stringMatching(/^no room for its image: \d+ MiB needed, \d+ MiB free$/),
    ]);
  });
});

describe('facts', () => {
  it('of strangers are checked, and half an image is none', async () => {
    writeFileSync(join(root, 'facts.json'), '{}');
    expect(CHECKPOINT.read(root)).toBeNull();
    expect(existsSync(join(root, 'image'))).toBe(false);
    const planned = await new Promise((resolve) => CHECKPOINT.plan(root, join(root, 'mark'), resolve));
    expect(planned).toEqual({ reason: 'the image is not complete' });
  });
});
