/**
 * The processes of the demo: programs that stay and commands that end. Each leads a process group of its own, so that a
 * Ctrl-C on the terminal reaches the demo alone, which then ends them by pid and in order.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DemoFailed } from './demo-failed.js';

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where programs run and with which variables. */
export interface Surroundings {
  readonly directory: string;
  readonly variables: NodeJS.ProcessEnv;
}

/** The processes. */
export interface Programs {
  /** Starts a Node program that stays; resolves with the first line of its stdout. */
  stay(name: string, argv: readonly string[]): Promise<string>;
  /** Runs a Node program to its end. */
  run(argv: readonly string[]): Promise<Ended>;
  /** Rejects when a program that should stay has ended by itself. */
  readonly broken: Promise<never>;
  /** Ends all, the youngest first: SIGTERM, then SIGKILL to who is still there after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Makes the keeper of the processes; none runs yet. */
export function createPrograms({ directory, variables }: Surroundings): Programs {
  const living: ChildProcess[] = [];
  let isStopping = false;
  let breakDown: (error: Error) => void = () => undefined;
  const broken = new Promise<never>((_resolve, reject) => {
    breakDown = reject;
  });
  broken.catch(() => undefined);

  function start(argv: readonly string[]): ChildProcess & { readonly tail: () => string } {
    const child = spawn(process.execPath, argv, {
      cwd: directory,
      env: variables,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    living.push(child);
    child.once('exit', () => living.splice(living.indexOf(child), 1));
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-TAIL_CHARS)));
    return Object.assign(child, { tail: () => stderr });
  }

  function stay(name: string, argv: readonly string[]): Promise<string> {
    const child = start(argv);
    child.once('exit', (code, signal) => {
      if (!isStopping)
        breakDown(new DemoFailed(`${name} ended (${code ?? signal}): ${child.tail().trim() || 'it said nothing'}`));
    });
    if (child.stdout === null) throw new DemoFailed(`${name} has no stdout`);
    const lines = createInterface({ input: child.stdout });
    return new Promise((resolve) => lines.once('line', resolve));
  }

  function run(argv: readonly string[]): Promise<Ended> {
    const child = start(argv);
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout, stderr: child.tail() }));
    });
  }

  async function stop(graceMs: number): Promise<void> {
    isStopping = true;
    for (const child of living.toReversed()) await endProcess(child, graceMs);
  }

  return { stay, run, broken, stop };
}

/** As much of a program's stderr as is worth keeping. */
const TAIL_CHARS = 4000;

function endProcess(child: ChildProcess, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
