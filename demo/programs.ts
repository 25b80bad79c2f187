/**
 * The processes of the demo: programs that keep running, and commands. Each leads its own process group, so a Ctrl-C on
 * the terminal reaches only the demo, which then ends the others by pid, in order.
 */
import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { DemoFailed } from './demo-failed.js';

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The directory and environment of the programs. */
export interface Surroundings {
  readonly directory: string;
  readonly variables: NodeJS.ProcessEnv;
}

/** The processes of the demo. */
export interface Programs {
  /** Starts a Node.js program that keeps running; resolves with the first line of its stdout. */
  stay(name: string, argv: readonly string[]): Promise<string>;
  /** Runs a Node.js program to its end. */
  run(argv: readonly string[]): Promise<Ended>;
  /** Rejects when a program that should keep running has ended. */
  readonly broken: Promise<never>;
  /** Ends all programs, the latest first: SIGTERM, then SIGKILL to those that still run after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Creates the collection of processes; none runs yet. */
export function createPrograms(surroundings: Surroundings): Programs {
  const living = new Set<Child>();
  const ends = new EventEmitter<{ unexpected: [DemoFailed] }>();
  const broken = new Promise<never>((_resolve, reject) => ends.once('unexpected', reject));
  broken.catch(() => undefined);
  let isStopping = false;

  function start(argv: readonly string[]): Child {
    if (isStopping) throw new DemoFailed('the demo is being stopped');
    const child = startChild(argv, surroundings);
    living.add(child);
    child.process.once('exit', () => living.delete(child));
    return child;
  }

  function stay(name: string, argv: readonly string[]): Promise<string> {
    const child = start(argv);
    child.process.once('exit', (code, signal) => {
      if (isStopping) return;
      ends.emit(
        'unexpected',
        new DemoFailed(`${name} ended (${code ?? signal}): ${child.stderr() || 'nothing on stderr'}`),
      );
    });
    const lines = createInterface({ input: child.process.stdout });
    return new Promise((resolve) => lines.once('line', resolve));
  }

  function run(argv: readonly string[]): Promise<Ended> {
    const child = start(argv);
    let stdout = '';
    child.process.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    return new Promise((resolve) => {
      child.process.once('close', (code) => resolve({ code, stdout, stderr: child.stderr() }));
    });
  }

  async function stop(graceMs: number): Promise<void> {
    isStopping = true;
    for (const child of [...living].toReversed()) await endProcess(child.process, graceMs);
  }

  return { stay, run, broken, stop };
}

interface Child {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  /** The end of its stderr. */
  stderr(): string;
}

/** How much of a program's stderr is kept. */
const TAIL_CHARS = 4000;

function startChild(argv: readonly string[], { directory, variables }: Surroundings): Child {
  const child = spawn(process.execPath, argv, {
    cwd: directory,
    env: variables,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-TAIL_CHARS)));
  return { process: child, stderr: () => stderr.trim() };
}

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
