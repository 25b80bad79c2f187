/**
 * The node's side of its supervisor: starts it, sends frames, and hands each line to the run that it concerns. It never
 * blocks. A supervisor that is lost goes on or dies without it; its log then tells the rest.
 */
import { mkdirSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { execa, type Options } from 'execa';
import { describeError } from '../../os/errors.js';
import { composeLauncherPath } from '../launch/environment.js';
import type { RunHandle } from '../runner.js';
import { openFormerSupervisor, type FormerSupervisor } from './former-supervisor.js';
import { formatLease, formatStart, type LeaseFrame, type StartFrame } from './frames.js';
import { parseLine, type FailedStep } from './lines.js';
import type { SupervisorProgram } from './program-path.js';
import { createRecords, formatRunMark, recordLine, type RunRecord } from './run-record.js';

/** What a run learns from its supervisor. Each is called at most once, but `doubted`. */
export interface RunWitness {
  started(handle: RunHandle): void;
  failed(step: FailedStep, error: string): void;
  ended(record: RunRecord): void;
  doubted(): void;
  /** The pipe broke after it was started, or may have been: its files tell the rest. */
  lost(supervisor: FormerSupervisor): void;
}

/** A supervisor that this node process started. */
export interface Supervisor {
  readonly kind: string;
  /** A number for the next run, and the mark that its environment must have. */
  nextRun(): { readonly id: number; readonly mark: string };
  /** Starts a run. Throws a RangeError for a command that cannot be sent. */
  start(frame: StartFrame, witness: RunWitness): void;
  lease(frame: LeaseFrame): void;
  /** The number of its last doubt. */
  doubt(): number;
  /** What is on record about a run; `undefined` once it has ended and was reported. */
  record(id: number): RunRecord | undefined;
  close(): void;
}

/** Callbacks of a supervisor that is being started. */
export interface SupervisorEvents {
  ready(supervisor: Supervisor): void;
  /** It ended, could not be started, or its pipe broke. `reason` is for people. */
  lost(reason: string): void;
}

/** In its own session, so that a Ctrl-C for the node does not reach it. */
const OPTIONS = {
  cwd: '/',
  detached: true,
  cleanup: false,
  reject: false,
  buffer: false,
  extendEnv: false,
  stdio: ['pipe', 'pipe', 'ignore'],
} as const satisfies Options;

/** Starts a supervisor in `directory`, which is created; `path` is the node's PATH. */
export function startSupervisor(
  { program, args }: SupervisorProgram,
  directory: string,
  path: string | undefined,
  events: SupervisorEvents,
): { close(): void } {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    queueMicrotask(() => events.lost(`its directory cannot be created: ${describeError(error)}`));
    return { close: () => undefined };
  }
  const child = execa(program, [...args, directory], { ...OPTIONS, env: { PATH: composeLauncherPath(path) } });
  child.unref();
  for (const pipe of [child.stdin, child.stdout]) letGo(pipe);
  // Writing to a dead supervisor fails with EPIPE; its end is reported.
  child.stdin.on('error', () => undefined);
  const connection = createConnection(directory, child.stdin, events);
  readLines(child.stdout, connection.handleLine);
  child.once('exit', (code, signal) => connection.lose(`it ended with ${signal ?? `status ${code}`}`));
  child.once('error', (error) => connection.lose(describeError(error)));
  child.stdout.once('close', () => connection.lose('it closed its output'));
  return { close: connection.close };
}

interface Connection {
  handleLine(line: string): void;
  lose(reason: string): void;
  close(): void;
}

function createConnection(directory: string, stdin: Writable, events: SupervisorEvents): Connection {
  const records = createRecords();
  const witnesses = new Map<number, RunWitness>();
  let lastId = 0;
  let isOver = false;

  function handleLine(text: string): void {
    const line = parseLine(text);
    if (line === undefined || isOver) return;
    recordLine(records, line);
    if (line.word === 'supervisor') events.ready(supervisor);
    else if (line.word === 'doubt') for (const one of witnesses.values()) one.doubted();
    else if ('id' in line) report(line.id);
  }

  function report(id: number): void {
    const record = records.runs.get(id);
    const witness = witnesses.get(id);
    if (record === undefined || witness === undefined) return;
    if (record.failure !== undefined) {
      forget(id);
      witness.failed(record.failure.step, record.failure.error);
    } else if (record.end !== undefined) {
      witnesses.delete(id);
      witness.ended(record);
      records.runs.delete(id);
    } else if (record.handle !== undefined && record.stopReason === undefined) witness.started(record.handle);
  }

  function forget(id: number): void {
    witnesses.delete(id);
    records.runs.delete(id);
  }

  function lose(reason: string): void {
    if (isOver) return;
    isOver = true;
    stdin.end();
    events.lost(reason);
    if (witnesses.size === 0) return;
    const former = openFormerSupervisor(directory);
    for (const [id, witness] of witnesses) {
      const isKnown = former.records.runs.has(id) || !former.isDead();
      if (isKnown) witness.lost(former);
      else witness.failed('fork', `the supervisor was lost: ${reason}`);
    }
    witnesses.clear();
  }

  const supervisor: Supervisor = {
    get kind() {
      return records.kind;
    },
    nextRun: () => {
      lastId += 1;
      const { handle = { pid: 0, start: '@' } } = records;
      return { id: lastId, mark: formatRunMark(handle, lastId) };
    },
    start: (frame, witness) => {
      const bytes = formatStart(frame);
      witnesses.set(frame.id, witness);
      stdin.write(bytes);
    },
    lease: (frame) => void (isOver || stdin.write(formatLease(frame))),
    doubt: () => records.doubt,
    record: (id) => records.runs.get(id),
    close: () => close(),
  };

  function close(): void {
    isOver = true;
    witnesses.clear();
    stdin.end();
  }

  return { handleLine, lose, close };
}

/** Reads what a supervisor reports, line by line. */
function readLines(stdout: Readable, handle: (line: string) => void): void {
  let held = '';
  stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (held + text).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) handle(line);
  });
}

/** An open pipe would keep the node from exiting. */
function letGo(pipe: Readable | Writable): void {
  if (pipe instanceof Socket) pipe.unref();
}

/** Path of the directory of a supervisor. */
export function supervisorDirectory(place: string, number: number): string {
  return join(place, String(number));
}
