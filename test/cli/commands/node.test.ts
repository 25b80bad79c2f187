/** The commands that keep running: broker, up, join, watch, with passwords and with a broker that goes away. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createBroker } from '../../../broker/create-broker.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';

const MAIN = fileURLToPath(new URL('../../../dist/bin/tritmesh.js', import.meta.url));
const makeDirectory = temporaryDirectories();
const running: Program[] = [];
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const program of running.splice(0)) await program.end();
  for (const close of closers.splice(0)) await close();
});

describe('tritmesh up', () => {
  it('runs a broker and a node in one process, and a second one joins that broker', async () => {
    const first = start(['up', '--port', '0', '--id', 'alpha', '--state-dir', makeDirectory(), '--sense', 'fixed:0.1']);
    const [, port = ''] = await first.says(/broker at mqtt:\/\/127\.0\.0\.1:(\d+)/);
    await first.says(/connected to the broker/);
    const second = start(['up', '--port', port, '--id', 'beta', '--state-dir', makeDirectory(), '--sense', 'fixed:1']);
    await second.says(/a broker already answers at mqtt:\/\/127\.0\.0\.1:\d+: joining it/);
    await second.says(/connected to the broker/);
    expect(await second.end()).toBe(0);
    expect(await first.end()).toBe(0);
  });
});

describe('tritmesh join', () => {
  it('saves the broker: node and status need no flag afterwards', async () => {
    const { url } = await openBroker();
    const stateDir = makeDirectory();
    const who = ['--state-dir', stateDir];
    const joined = start(['join', url, '--id', 'gamma', '--sense', 'fixed:0.1', ...who]);
    await joined.says(/connected to the broker/);
    await joined.end();
    expect(readFileSync(join(stateDir, 'joined.yaml'), 'utf8')).toBe(`broker: ${url}\nid: gamma\n`);

    const node = start(['node', '--sense', 'fixed:0.1', ...who]);
    await node.says(/node gamma at /);
    await node.says(/connected to the broker/);
    const status = start(['status', ...who]);
    await status.says(/gamma/);
    expect(await status.ended).toBe(0);
  });
});

describe('tritmesh broker', () => {
  it('accepts the users that passwd has added, and no others', async () => {
    const stateDir = makeDirectory();
    const users = join(stateDir, 'users');
    const added = start(['broker', 'passwd', 'alpha', '--password-file', users]);
    added.type('secret\n');
    expect(await added.ended).toBe(0);
    expect(statSync(users).mode & 0o777).toBe(0o600);

    const broker = start(['broker', '--port', '0', '--password-file', users, '--state-dir', stateDir]);
    const [, url = ''] = await broker.says(/broker at (mqtt:\/\/\S+)/);
    const who = ['--broker', url, '--id', 'alpha', '--state-dir', stateDir];
    const wrong = start(['items', ...who, '--username', 'alpha'], { TRITMESH_PASSWORD: 'guess' });
    await wrong.says(/refused the user name or password/);
    expect(await wrong.ended).toBe(1);
    const right = start(['items', ...who, '--username', 'alpha'], { TRITMESH_PASSWORD: 'secret' });
    await right.says(/no items/);
    expect(await right.ended).toBe(0);

    const removed = start(['broker', 'passwd', 'alpha', '--password-file', users, '--remove']);
    expect(await removed.ended).toBe(0);
    const again = start(['broker', 'passwd', 'alpha', '--password-file', users, '--remove']);
    expect(await again.ended).toBe(1);
  });
});

describe('tritmesh watch', () => {
  it('reports once that the broker is down, carries on, and prints events', async () => {
    const broker = await openBroker();
    await broker.close();
    const watch = start(['watch', '--broker', broker.url, '--state-dir', makeDirectory()]);
    await watch.says(/connection refused at \S+; still trying/);
    const again = await createBroker({ base: 'tritmesh', port: broker.port });
    closers.push(() => again.close());
    await watch.says(/0 online/);
    const node = start([
      'node',
      '--broker',
      again.url,
      '--id',
      'delta',
      '--sense',
      'fixed:0.1',
      '--state-dir',
      makeDirectory(),
    ]);
    await watch.says(/\d\d:\d\d:\d\d\.\d{3} {2}delta is online/);
    await node.end();
    await watch.says(/delta is offline/);
    expect(await watch.end()).toBe(0);
    expect(watch.output().match(/still trying/g)).toHaveLength(1);
  });
});

describe('tritmesh doctor', () => {
  it('exits with 1 and a to-do when there is no broker', async () => {
    const doctor = start(['doctor', '--broker', 'mqtt://127.0.0.1:1', '--state-dir', makeDirectory(), '--json']);
    expect(await doctor.ended).toBe(1);
    const findings = JSON.parse(doctor.output()) as { what: string; verdict: string; todo?: string }[];
    expect(findings.find((one) => one.what === 'broker')).toMatchObject({
      verdict: 'broken',
      todo: expect.stringContaining('tritmesh up') as string,
    });
    expect(findings.find((one) => one.what === 'node')).toMatchObject({ verdict: 'good' });
    expect(findings.find((one) => one.what === 'watchdog')).toMatchObject({ verdict: 'good' });
    const supervisor = findings.find((one) => one.what === 'supervisor');
    expect(supervisor?.verdict === 'good' || supervisor?.todo?.includes('C compiler')).toBe(true);
  });
});

interface Program {
  readonly ended: Promise<number | null>;
  output(): string;
  /** Waits for text on stdout or stderr. */
  says(pattern: RegExp): Promise<RegExpMatchArray>;
  type(text: string): void;
  /** Stops it and waits until it has ended. */
  end(): Promise<number | null>;
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const listeners = new Set<() => void>();
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const program: Program = {
    ended,
    output: () => output,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = output.match(pattern);
          if (match === null) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`it ended and never said ${String(pattern)}: ${output}`)));
      }),
    type: (text) => child.stdin?.end(text),
    end: () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      return ended;
    },
  };
  running.push(program);
  return program;
}

async function openBroker(): Promise<{ readonly url: string; readonly port: number; close(): Promise<void> }> {
  const { url, port, close } = await createBroker({ base: 'tritmesh', port: 0 });
  let isOpen = true;
  const closeOnce = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await close();
  };
  closers.push(closeOnce);
  return { url, port, close: closeOnce };
}
