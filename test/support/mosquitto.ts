/**
 * A real Mosquitto for a test: a child process on a free loopback port, with the configuration that the project ships
 * and a temporary directory. It is ended by its pid and leaves nothing behind.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { requirement } from './requirements.js';

/** How the broker is set up. */
export interface MosquittoOptions {
  /** Users and their passwords, restricted by the shipped ACL. Without users, everyone may do everything. */
  readonly users?: Readonly<Record<string, string>>;
  /** Use Mosquitto's default queue limits instead of the shipped ones: it drops messages to slow subscribers. */
  readonly defaultQueues?: boolean;
}

/** A running Mosquitto. */
export interface Mosquitto {
  readonly url: string;
  readonly port: number;
  /** Ends it with SIGTERM; it saves its retained messages. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL; what it had not saved is lost. */
  kill(): Promise<void>;
  /** Starts it again on the same port; `forgetful` deletes what it had saved. */
  start(options?: { readonly forgetful?: boolean }): Promise<void>;
  /** Sets the users' passwords, and makes the broker reload them. */
  setUsers(users: Readonly<Record<string, string>>): Promise<void>;
  /** Ends it and removes its files. */
  close(): Promise<void>;
}

const SHIPPED = fileURLToPath(new URL('../../broker/mosquitto/', import.meta.url));
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin'];

/** Whether Mosquitto and its clients are installed; if not, see test/support/requirements.ts. */
export function hasMosquitto(): boolean {
  const isThere = ['mosquitto', 'mosquitto_passwd', 'mosquitto_sub', 'mosquitto_pub'].every(
    (program) => findProgram(program) !== undefined,
  );
  return requirement('mosquitto', isThere, 'apt-get install mosquitto mosquitto-clients');
}

/** The path of a program of Mosquitto. Debian installs it in a directory that is not in a user's PATH. */
export function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find(isExecutable);
}

/** Starts a Mosquitto; resolves when it accepts connections. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const dir = await mkdtemp(join(tmpdir(), 'tritmesh-mosquitto-'));
  const port = await findFreePort();
  const config = join(dir, 'mosquitto.conf');
  await writeFile(config, await writeConfig(dir, port, options));
  await copyFile(join(SHIPPED, 'tritmesh.acl'), join(dir, 'tritmesh.acl'));
  await writePasswords(dir, options.users ?? {});
  let child: ChildProcess | undefined = await launch(config, port);

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    child = undefined;
  }

  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async start({ forgetful = false } = {}) {
      if (forgetful) await rm(join(dir, 'mosquitto.db'), { force: true });
      child = await launch(config, port);
    },
    async setUsers(users) {
      await writePasswords(dir, users);
      if (child === undefined) return;
      const reloaded = waitForLine(child, /Reloading config/);
      child.kill('SIGHUP');
      await reloaded;
    },
    async close() {
      await end('SIGTERM');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The shipped configuration with this test's port and paths. */
async function writeConfig(dir: string, port: number, { users, defaultQueues }: MosquittoOptions): Promise<string> {
  const hasUsers = users !== undefined;
  const replaced: Readonly<Record<string, string | undefined>> = {
    listener: `${port} 127.0.0.1`,
    allow_anonymous: String(!hasUsers),
    password_file: hasUsers ? join(dir, 'passwd') : undefined,
    acl_file: hasUsers ? join(dir, 'tritmesh.acl') : undefined,
    persistence_location: `${dir}/`,
    ...(defaultQueues === true ? { max_inflight_messages: undefined, max_queued_messages: undefined } : {}),
  };
  const shipped = await readFile(join(SHIPPED, 'mosquitto.conf'), 'utf8');
  const lines = shipped.split('\n').flatMap((line) => {
    const key = line.split(' ', 1)[0] ?? '';
    if (!(key in replaced)) return [line];
    return replaced[key] === undefined ? [] : [`${key} ${replaced[key]}`];
  });
  // As root it would switch to the user `mosquitto`, who cannot read the private directory.
  if (process.getuid?.() === 0) lines.push('user root');
  return `${lines.join('\n')}\nlog_dest stderr\nlog_type information\n`;
}

async function writePasswords(dir: string, users: Readonly<Record<string, string>>): Promise<void> {
  const path = join(dir, 'passwd');
  await writeFile(
    path,
    Object.entries(users)
      .map(([user, password]) => `${user}:${password}\n`)
      .join(''),
    { mode: 0o600 },
  );
  if (Object.keys(users).length > 0) await promisify(execFile)(needProgram('mosquitto_passwd'), ['-U', path]);
}

async function launch(config: string, port: number): Promise<ChildProcess> {
  const child = spawn(needProgram('mosquitto'), ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  // An aborted test must not leave a broker behind.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  await waitForLine(child, /mosquitto version \S+ running/);
  await shakeHands(port);
  return child;
}

/**
 * Waits for an answer to a CONNECT: a Mosquitto that gets a signal after it reported that it runs, but before it does,
 * ignores the signal (seen with 2.0.11).
 */
async function shakeHands(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const packet = [0x10, 12, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 60, 0, 0];
  socket.write(Buffer.from(packet));
  await once(socket, 'data');
  socket.destroy();
}

/** Waits until the broker prints a matching line; rejects with its output if it ends before. */
async function waitForLine(child: ChildProcess, pattern: RegExp): Promise<void> {
  if (child.stderr === null) throw new Error('the broker has no stderr');
  const said: string[] = [];
  const lines = createInterface({ input: child.stderr });
  try {
    for await (const line of lines) {
      said.push(line);
      if (pattern.test(line)) return;
    }
    throw new Error(`mosquitto ended: ${said.join('\n')}`);
  } finally {
    lines.close();
    // Closing a reader pauses its source, and a full pipe would eventually block the broker.
    child.stderr.resume();
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function needProgram(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed on this machine`);
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
