/**
 * The real programs for end-to-end tests: nodes and commands as processes, and a client that listens on the bus.
 * Everything is ended by its pid, and state directories are removed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filter, firstValueFrom, ReplaySubject } from 'rxjs';
import { createMqttBus } from '../../src/bus/mqtt/mqtt-bus.js';

/** The compiled program. */
export const MAIN: string = fileURLToPath(new URL('../../dist/bin/tritmesh.js', import.meta.url));

/** Leases short enough for a test, long enough for a busy machine. */
export const QUICK: Readonly<Record<string, string>> = {
  TRITMESH_LEASE_LEASE_MS: '6000',
  TRITMESH_LEASE_MARGIN_MS: '8000',
  TRITMESH_STATE_EVERY_MS: '2000',
  TRITMESH_TRANSFER_LISTEN: '127.0.0.1',
  // Asking criu, podman and its runtime takes a quarter of a start; a test that moves processes adds `WITH_CRIU`.
  TRITMESH_CRIU: '/nonexistent/criu',
};

/** Variables of a node that looks for criu as usual. */
export const WITH_CRIU: Readonly<Record<string, string>> = { TRITMESH_CRIU: '' };

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One message on the bus. */
export interface Heard {
  readonly topic: string;
  readonly text: string;
  readonly retained: boolean;
}

/** A client that listens on the bus. */
export interface BusListener {
  readonly heard: readonly Heard[];
  /** The first matching message, past or future. */
  next(fits: (message: Heard) => boolean): Promise<Heard>;
  publish(topic: string, payload: string, retain?: boolean): Promise<void>;
  close(): Promise<void>;
}

/** A node as a process. */
export interface NodeProcess {
  readonly id: string;
  readonly stateDir: string;
  readonly pid: number;
  /** The program for its next start and its commands. */
  main: string;
  output(): string;
  signal(signal: NodeJS.Signals): void;
  /** Ends it with SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
  /** Resolves when it has ended, with its exit code or the signal that ended it. */
  ended(): Promise<number | string>;
  /** Starts it again in the same state directory, with other variables if they are given. */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
}

/** Where and how a node runs, where it differs from the others. */
export interface Place {
  /** Another URL of the same broker. */
  readonly broker?: string;
  /** Another program than the one compiled here. */
  readonly main?: string;
  /** The parent of its state directory. */
  readonly parent?: string;
  /** Program and arguments to put in front of the command, such as `ip netns exec NAME`. */
  readonly within?: readonly string[];
  /** An existing state directory. It is removed with the node, too. */
  readonly stateDir?: string;
  /** It is started without `--id`, so that it chooses its id. */
  readonly unnamed?: boolean;
}

/** The node that a command is for; `main` is the compiled program by default. */
export type Speaker = Pick<NodeProcess, 'id' | 'stateDir'> & { readonly main?: string };

/** Everything that runs in one test and ends with it. */
export interface Scene {
  readonly broker: string;
  node(id: string, sense: string, env?: Readonly<Record<string, string>>, place?: Place): Promise<NodeProcess>;
  /** Runs a tritmesh command for a node; `main` names another program than the node's. */
  command(node: Speaker, args: readonly string[], cwd?: string, main?: string): Promise<Ended>;
  ear(filters?: readonly string[]): Promise<BusListener>;
  directory(): Promise<string>;
  end(): Promise<void>;
}

/** Opens a scene on a broker. */
export function openScene(broker: string): Scene {
  const endings: (() => Promise<void>)[] = [];
  return {
    broker,
    node: async (id, sense, env = {}, place = {}) => {
      const node = await startNode({ broker, ...place }, id, sense, env);
      endings.push(node.end);
      return node;
    },
    command: (node, args, cwd, main = node.main ?? MAIN) => runCommand(broker, main, node, args, cwd),
    ear: async (filters = ['tritmesh/#']) => {
      const ear = await listen(broker, filters);
      endings.push(ear.close);
      return ear;
    },
    directory: async () => {
      const directory = await mkdtemp(join(tmpdir(), 'tritmesh-e2e-'));
      endings.push(() => rm(directory, { recursive: true, force: true }));
      return directory;
    },
    end: async () => {
      for (const end of endings.splice(0).toReversed()) await end();
    },
  };
}

async function startNode(
  {
    broker,
    main = MAIN,
    parent = tmpdir(),
    within = [],
    unnamed = false,
    ...place
  }: Place & { readonly broker: string },
  id: string,
  sense: string,
  env: Readonly<Record<string, string>>,
): Promise<NodeProcess & { end(): Promise<void> }> {
  const stateDir = place.stateDir ?? (await mkdtemp(join(parent, `tritmesh-${id}-`)));
  const naming = unnamed ? [] : ['--id', id];
  const flags = ['node', ...naming, '--broker', broker, '--sense', sense, '--state-dir', stateDir];
  let output = '';
  let child: ChildProcess;

  async function start(variables: Readonly<Record<string, string>> = env): Promise<void> {
    const [program = '', ...args] = [...within, process.execPath, node.main, ...flags];
    child = spawn(program, args, {
      env: { ...cleanEnvironment(), ...QUICK, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    await once(child, 'spawn');
  }

  async function finish(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    // SIGKILL ends a stopped process, too. SIGTERM reaches it only after SIGCONT.
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await gone;
  }

  async function ended(): Promise<number | string> {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child.exitCode ?? child.signalCode ?? 'unknown';
  }

  const node: NodeProcess & { end(): Promise<void> } = {
    id,
    stateDir,
    main,
    get pid() {
      return child.pid ?? 0;
    },
    output: () => output,
    signal: (signal) => {
      child.kill(signal);
    },
    kill: () => finish('SIGKILL'),
    ended,
    start,
    end: async () => {
      await finish('SIGTERM');
      await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  await start();
  return node;
}

/** Variables that make a program believe that it is on a machine with another name, or on another machine. */
export function pretend(host: string, machine?: string): Readonly<Record<string, string>> {
  const fixture = new URL('../fixtures/other-machine.mjs', import.meta.url).href;
  const fake = machine === undefined ? {} : { FAKE_MACHINE: machine.repeat(32).slice(0, 32) };
  return { NODE_OPTIONS: `--import=${fixture}`, FAKE_HOST: host, ...fake };
}

/** The environment without the variables that configure a node. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TRITMESH_')));
}

async function runCommand(
  broker: string,
  main: string,
  node: Speaker,
  args: readonly string[],
  cwd?: string,
): Promise<Ended> {
  const [command = '', ...rest] = args;
  const full = [main, command, '--id', node.id, '--broker', broker, '--state-dir', node.stateDir, ...rest];
  return runProgram(process.execPath, full, cwd);
}

/** Runs a program to its end. */
export async function runProgram(program: string, args: readonly string[], cwd?: string): Promise<Ended> {
  const child = spawn(program, args, {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  const parts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    parts.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    parts.stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...parts };
}

async function listen(broker: string, filters: readonly string[]): Promise<BusListener> {
  const bus = createMqttBus({ url: broker, clientId: `ear-${process.pid}-${Math.random().toString(36).slice(2)}` });
  const heard: Heard[] = [];
  const heard$ = new ReplaySubject<Heard>();
  bus.messages$.subscribe((message) => {
    const one = { topic: message.topic, text: Buffer.from(message.payload).toString(), retained: message.retained };
    heard.push(one);
    heard$.next(one);
  });
  bus.subscribe(filters);
  bus.connect();
  await firstValueFrom(bus.link$.pipe(filter((link) => link.state === 'online')));
  return {
    heard,
    next: (fits) => firstValueFrom(heard$.pipe(filter(fits))),
    publish: (topic, payload, retain = false) =>
      new Promise((resolve, reject) => {
        bus.publish({ topic, payload, qos: 1, retain }, (error) => (error === undefined ? resolve() : reject(error)));
      }),
    close: () => new Promise((resolve) => bus.close(resolve)),
  };
}

/** Waits for the first state of each node. */
export async function allUp(ear: BusListener, ids: readonly string[]): Promise<void> {
  await Promise.all(ids.map((id) => ear.next((one) => one.topic === `tritmesh/node/${id}/state` && one.text !== '')));
}

/** Waits for a state of a node after the first `from` messages, for a node that was started again. */
export async function upAfter(ear: BusListener, id: string, from: number): Promise<void> {
  await ear.next(
    (one) => one.topic === `tritmesh/node/${id}/state` && !one.retained && ear.heard.lastIndexOf(one) >= from,
  );
}

/** The parsed payload of a message. */
export function fields(message: Heard): Record<string, unknown> {
  return JSON.parse(message.text) as Record<string, unknown>;
}

/** Whether a message is the status of an item in one of these phases. */
export function isStatus(item: string, ...phases: readonly string[]): (message: Heard) => boolean {
  return (message) =>
    message.topic.endsWith(`/${item}/status`) &&
    message.text !== '' &&
    phases.includes(String(fields(message)['phase']));
}
