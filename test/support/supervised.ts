/**
 * A supervisor with its pipes in the hands of a test, which plays the node: it sends frames, reads the log, hangs or
 * goes away. Everything that was started is ended by its pid.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { afterEach } from 'vitest';
import { tryReadProcStat } from '../../src/os/proc-stat.js';
import { formatLease, formatStart, type StartFrame } from '../../src/run/supervisor/frames.js';
import { parseLine, parseLines, type LeaderEnd, type SupervisorLine } from '../../src/run/supervisor/lines.js';
import { formatRunMark, createRecords, recordLine, type RunRecord } from '../../src/run/supervisor/run-record.js';
import type { SupervisorProgram } from '../../src/run/supervisor/program-path.js';
import type { RunHandle } from '../../src/run/runner.js';
import { signalProcess } from '../../src/run/processes/session.js';
import { listProcessesBelow } from './processes-below.js';

/** A program that is tested: as it is shipped, and with clocks that {@link Supervised.sleep} sets. */
export interface TestedSupervisor {
  readonly kind: SupervisorProgram['kind'];
  readonly real: Pick<SupervisorProgram, 'program' | 'args'>;
  readonly lying: Pick<SupervisorProgram, 'program' | 'args'>;
}

/** A run that a test asked for. All waits look at the log. */
export interface SupervisedJob {
  readonly id: number;
  readonly directory: string;
  started(): Promise<RunHandle>;
  ended(): Promise<LeaderEnd>;
  failed(): Promise<string>;
  /** Waits until this text is in its standard output, and returns all of that. */
  said(text: string): Promise<string>;
  read(name: 'stdout' | 'stderr'): string;
  record(): RunRecord | undefined;
}

/** A supervisor. */
export interface Supervised {
  /** Its own directory; the runs are beside it. */
  readonly directory: string;
  readonly handle: RunHandle;
  readonly input: Writable;
  readonly output: Readable;
  /** Lines that it has reported. */
  readonly reported: readonly SupervisorLine[];
  /** Starts a shell script, or whatever the frame says. */
  start(command: string | Partial<StartFrame>, more?: Partial<StartFrame>): SupervisedJob;
  lease(id: number, leftMs: number, doubt?: number): void;
  log(): readonly SupervisorLine[];
  /** The machine is said to have slept for so long in all, by the clocks of the lying program. */
  sleep(ms: number): void;
  /** Ends the pipes, as the death of the node does. */
  hangUp(): void;
  /** The exit status, or the name of the signal. */
  readonly gone: Promise<number | string>;
}

/** How to open a supervisor. */
export interface SupervisedOptions {
  readonly isLying?: boolean;
  /** Its reports are not read. */
  readonly isUnread?: boolean;
  /** Where its own directory is to be; otherwise beside the runs. */
  readonly disk?: string;
}

/** What the parts of the suite work with. */
export interface SupervisorSuite {
  readonly tested: TestedSupervisor;
  /** Opens a supervisor in a place of its own, which is cleared after the test. */
  open(options?: SupervisedOptions): Promise<Supervised & { readonly place: string }>;
}

/** Waits until a condition holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The state letter of a process; empty when it is gone or a zombie. */
export function stateOf(pid: number): string {
  const state = tryReadProcStat(pid)?.state ?? '';
  return state === 'Z' || state === 'X' ? '' : state;
}

/** Whether a process runs or is stopped: it is not gone and no zombie. */
export function isThere(pid: number): boolean {
  return stateOf(pid) !== '';
}

/** Starts the program alone, with a directory as its argument. */
export function spawnSupervisor(
  { program, args }: Pick<SupervisorProgram, 'program' | 'args'>,
  directory: string,
): ChildProcess {
  const env = { PATH: process.env['PATH'], TRITMESH_TEST_SLEPT: join(directory, '..', 'slept') };
  return spawn(program, [...args, directory], { cwd: '/', detached: true, env, stdio: ['pipe', 'pipe', 'ignore'] });
}

/** Opens a supervisor below `place`; resolves once it has begun. */
async function openSupervised(
  { real, lying }: TestedSupervisor,
  place: string,
  { isLying = false, isUnread = false, disk = place }: SupervisedOptions = {},
): Promise<Supervised> {
  const directory = join(disk, 'supervisor');
  mkdirSync(directory);
  const child = spawnSupervisor(isLying ? lying : real, directory);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the supervisor has no pipes');
  stdin.on('error', () => undefined);
  const gone = once(child, 'exit').then(([code, signal]: (number | string | null)[]) => code ?? signal ?? 'unknown');
  const reported: SupervisorLine[] = [];
  if (!isUnread) readLines(stdout, (line) => reported.push(line));

  const log = (): readonly SupervisorLine[] => readLog(join(directory, 'log'));
  await until(() => log().length > 0);
  const [first] = log();
  if (first?.word !== 'supervisor') throw new Error('its log does not begin with its first line');
  const { handle } = first;
  let lastId = 0;
  return {
    directory,
    handle,
    input: stdin,
    output: stdout,
    reported,
    start: (command, more = {}) => {
      lastId += 1;
      const asked = typeof command === 'string' ? { argv: ['sh', '-c', command], ...more } : command;
      const frame = composeFrame(place, formatRunMark(handle, lastId), { id: lastId, ...asked });
      if (asked.directory === undefined) mkdirSync(join(frame.directory, 'work'), { recursive: true });
      stdin.write(formatStart(frame));
      return createJob(frame, log);
    },
    lease: (id, leftMs, doubt = 0) => void stdin.write(formatLease({ id, leftMs, doubt })),
    log,
    sleep: (ms) => writeFileSync(join(place, 'slept'), String(ms)),
    hangUp: () => {
      stdin.destroy();
      stdout.destroy();
    },
    gone,
  };
}

function composeFrame(place: string, mark: string, asked: Partial<StartFrame> & { readonly id: number }): StartFrame {
  return {
    leaseMs: 600_000,
    limitMs: Infinity,
    mode: 'plain',
    directory: join(place, `run-${asked.id}`),
    stdin: '',
    argv: ['true'],
    ...asked,
    environment: { PATH: process.env['PATH'] ?? '', TRITMESH_RUN_MARK: mark, ...asked.environment },
  };
}

function createJob({ id, directory }: StartFrame, log: () => readonly SupervisorLine[]): SupervisedJob {
  const record = (): RunRecord | undefined => {
    const records = createRecords();
    for (const line of log()) recordLine(records, line);
    return records.runs.get(id);
  };
  const read = (name: string): string => {
    const path = join(directory, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  const wait = async <T>(pick: (found: RunRecord) => T | undefined): Promise<T> => {
    let found: T | undefined;
    await until(() => {
      const now = record();
      found = now === undefined ? undefined : pick(now);
      return found !== undefined;
    });
    return found as T;
  };
  return {
    id,
    directory,
    started: () => wait(({ handle }) => handle),
    ended: () => wait(({ end }) => end),
    failed: async () => {
      const { step, error } = await wait(({ failure }) => failure);
      return `${step} ${error}`;
    },
    said: async (text) => {
      await until(() => read('stdout').includes(text));
      return read('stdout');
    },
    read,
    record,
  };
}

/** Reads a log; empty when there is none. */
function readLog(path: string): readonly SupervisorLine[] {
  return existsSync(path) ? parseLines(readFileSync(path, 'utf8')).lines : [];
}

function readLines(stdout: Readable, handle: (line: SupervisorLine) => void): void {
  let held = '';
  stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (held + text).split('\n');
    held = lines.pop() ?? '';
    for (const one of lines) {
      const line = parseLine(one);
      if (line === undefined) throw new Error(`it reported a line that cannot be read: ${one}`);
      handle(line);
    }
  });
}

/** Returns how to open a supervisor in a place of its own; all places are cleared after each test of this suite. */
export function openSupervisedPlaces(tested: TestedSupervisor): SupervisorSuite['open'] {
  const places: string[] = [];
  afterEach(async () => {
    for (const place of places.splice(0)) await endBelow(place);
  });
  return async (options) => {
    const place = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-supervised-')));
    places.push(place);
    return { ...(await openSupervised(tested, place, options)), place };
  };
}

/** Ends whatever belongs to a directory, and removes it. */
async function endBelow(place: string): Promise<void> {
  await until(() => {
    const found = listProcessesBelow(place);
    for (const { pid } of found) signalProcess(pid, 'SIGKILL');
    return found.length === 0;
  });
  rmSync(place, { recursive: true, force: true });
}
