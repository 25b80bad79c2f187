/** Starts the leader of a run: its files, its working directory, its environment. It keeps nothing in mind. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, constants, existsSync, fstatSync, openSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { StartFrame } from '../frames.js';
import type { FailedStep } from '../lines.js';
import { nameError } from './log-file.js';

/** Why a leader did not start. */
export interface SpawnFault {
  readonly step: FailedStep;
  readonly error: string;
}

/** A leader that runs, or that fails: `onFault` is called then, later. */
export interface Spawned {
  readonly child: ChildProcess;
  onFault(done: (fault: SpawnFault) => void): void;
}

class StepError extends Error {
  readonly fault: SpawnFault;

  constructor(fault: SpawnFault) {
    super(`${fault.step}: ${fault.error}`);
    this.fault = fault;
  }
}

/** Starts the leader of a run. */
export function spawnLeader(order: StartFrame): Spawned | SpawnFault {
  const work = order.mode === 'plain' ? join(order.directory, 'work') : order.directory;
  const opened: number[] = [];
  try {
    enter(work);
    const stdio: StdioOptions = order.mode === 'plain' ? openAll(order, work, opened) : 'ignore';
    const [program = '', ...args] = order.argv;
    if (program === '') return { step: 'exec', error: 'ENOENT' };
    const child: ChildProcess = spawn(program, args, { cwd: work, env: order.environment, detached: true, stdio });
    return {
      child,
      onFault: (done) => child.once('error', (error) => done(describe(error, work))),
    };
  } catch (error) {
    return error instanceof StepError ? error.fault : describe(error, work);
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** Before anything is opened: what is missing is then named for what it is. */
function enter(work: string): void {
  try {
    if (statSync(work).isDirectory()) return;
  } catch (error) {
    throw new StepError({ step: 'cwd', error: nameError(error) });
  }
  throw new StepError({ step: 'cwd', error: 'ENOTDIR' });
}

function describe(error: unknown, work: string): SpawnFault {
  const name = nameError(error);
  const isFork = name === 'EAGAIN' || name === 'ENOMEM' || name === 'EMFILE' || name === 'ENFILE';
  const step = isFork ? 'fork' : name === 'ENOENT' && !existsSync(work) ? 'cwd' : 'exec';
  return { step, error: name };
}

function openAll({ directory, stdin }: StartFrame, work: string, opened: number[]): number[] {
  const open = (step: FailedStep, path: string, flags: string | number): number => {
    try {
      const fd = openSync(path, flags, 0o666);
      opened.push(fd);
      return fd;
    } catch (error) {
      throw new StepError({ step, error: nameError(error) });
    }
  };
  // A pipe that nobody writes to must not block this process.
  const { O_RDONLY, O_NONBLOCK } = constants;
  const input = open('stdin', stdin === '' ? '/dev/null' : resolve(work, stdin), O_RDONLY | O_NONBLOCK);
  if (stdin !== '' && !fstatSync(input).isFile()) throw new StepError({ step: 'stdin', error: 'EINVAL' });
  return [input, open('stdout', join(directory, 'stdout'), 'w'), open('stderr', join(directory, 'stderr'), 'a')];
}
