/**
 * The directory of a run as node and launcher share it: made ready before a start, read again after an end or a crash.
 * The file `started` is made exclusively, by the launcher that starts the command or by a node that forbids it, so a run
 * starts at most once however the two meet.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RestorePlan } from '../checkpoint/checkpoint.js';
import { FIRST_PID, type BoxHead } from './box.js';
import { composeEnvironment } from './environment.js';
import { parseExitFile, type Exit } from './exit-file.js';
import { addGuardTime, GUARD_NEVER } from './guard-clock.js';
import { RUN_FILES } from './launcher.js';
import { formatOrder, parseOrderHead, type OrderHead } from './order.js';
import { RUN_DIRECTORY_VARIABLE } from './process-table.js';
import { findInputFault, findProgram } from './program.js';
import { reserveFiles } from './reserved-files.js';
import type { RunHandle, RunOrder } from './runner.js';
import type { SpareDirectory } from './spare-directory.js';

/** From SIGTERM at the wall-clock limit to SIGKILL by the node, and again as long to SIGKILL by the guardian. */
export const WALL_GRACE_MS = 5000;

const FORBIDDEN = 'forbidden\n';

/** What a launcher left in the directory of its run. */
export interface Remains {
  /** The command may have been started. */
  readonly isStarted: boolean;
  readonly exit: Exit | undefined;
  /** Why the guardian ended the run, if it did. */
  readonly ended: string | undefined;
}

/** What a start has settled before the launcher is told to go. */
export interface Prepared {
  /** Readings of the guard clock. */
  readonly deadline: number;
  readonly limit: number;
  /** Of a run that can be frozen. */
  readonly box?: BoxHead | undefined;
}

/** Says why a run cannot be started in its directory, or `undefined`; makes the directory and `work/` in it. */
export function openRunDirectory(directory: string, spare?: SpareDirectory): string | undefined {
  if (!directory.startsWith('/') || directory.includes('\n')) return `not an absolute path in one line: ${directory}`;
  if (!existsSync(directory) && spare?.moveTo(directory) === true) return undefined;
  mkdirSync(join(directory, 'work'), { recursive: true });
  if (existsSync(join(directory, RUN_FILES.started))) return `was started before in ${directory}`;
  reserveFiles(directory);
  return undefined;
}

/** Writes the order: one file, because making files is the dearest part of a start. Throws what the file system does. */
export function writeOrder(order: RunOrder, handle: RunHandle, reading: number, isBoxed: boolean): Prepared {
  const { command, directory } = order;
  const work = join(directory, 'work');
  const environment = composeEnvironment(process.env, command.env, order.environment, {
    [RUN_DIRECTORY_VARIABLE]: directory,
  });
  const [name = '', ...args] = command.argv;
  const found = findProgram(name, environment['PATH'] ?? '', work);
  const fault =
    'fault' in found ? found.fault : command.stdin === undefined ? undefined : findInputFault(command.stdin, work);
  // A name that begins with a dash would be an option of `exec`.
  const program = name.startsWith('-') && 'path' in found ? found.path : name;
  const input = command.stdin === undefined ? '/dev/null' : join(work, command.stdin);
  const box: BoxHead | undefined = isBoxed
    ? { kind: 'started', root: FIRST_PID, knownAs: directory, cpuS: 0, wallMs: 0 }
    : undefined;
  const prepared = { deadline: addGuardTime(reading, order.guardMs), limit: limitOf(command.wall_ms, reading), box };
  writeFileSync(
    join(directory, RUN_FILES.order),
    formatOrder({ handle, ...prepared, input, fault, argv: [program, ...args], environment }),
    { mode: 0o600 },
  );
  return prepared;
}

/**
 * Writes the order that restores an image. What the command used elsewhere counts against its wall-clock limit. Throws what the
 * file system does.
 */
export function writeRestoreOrder(order: RunOrder, handle: RunHandle, reading: number, plan: RestorePlan): Prepared {
  const { command, directory } = order;
  const { facts, argv, binds, freePid } = plan;
  const { root, known_as: knownAs, cpu_s: cpuS, wall_ms: wallMs } = facts;
  const box: BoxHead = { kind: 'restored', root, knownAs, cpuS, wallMs };
  const left = command.wall_ms === undefined ? undefined : Math.max(0, command.wall_ms - wallMs);
  const prepared = { deadline: addGuardTime(reading, order.guardMs), limit: limitOf(left, reading), box };
  // An empty one does not travel, and the command has it open all the same.
  for (const name of ['stdout', 'stderr']) appendFileSync(join(directory, name), '');
  const restore = { binds, freePid };
  const rest = { input: '/dev/null', fault: undefined, environment: {} };
  const text = formatOrder({ handle, ...prepared, ...rest, argv, restore });
  writeFileSync(join(directory, RUN_FILES.order), text, { mode: 0o600 });
  return prepared;
}

/**
 * Forbids that a run is ever started. `forbidden`: now or before, surely never started; `maybe`: a launcher was first;
 * `absent`: there is no directory, so nothing can start in it any more, but it may have run before.
 */
export function forbidStart(directory: string): 'forbidden' | 'maybe' | 'absent' {
  try {
    writeFileSync(join(directory, RUN_FILES.started), FORBIDDEN, { flag: 'wx' });
    return 'forbidden';
  } catch {
    if (!existsSync(directory)) return 'absent';
    return readText(directory, RUN_FILES.started) === FORBIDDEN ? 'forbidden' : 'maybe';
  }
}

/** Reads the head of the order; `undefined` when there is none. */
export function readOrderHead(directory: string): OrderHead | undefined {
  return parseOrderHead(readText(directory, RUN_FILES.order) ?? '');
}

/** Reads what a launcher left; call it when nothing of the run lives. */
export function readRemains(directory: string): Remains {
  return {
    isStarted: existsSync(join(directory, RUN_FILES.started)),
    exit: parseExitFile(readText(directory, RUN_FILES.exit) ?? ''),
    ended: readText(directory, RUN_FILES.ended)?.trim(),
  };
}

/** Milliseconds from the launcher's start to the end of the command, by the wall clock; 0 when unknown. */
export function measureRun(directory: string): number {
  const [begun, done] = [RUN_FILES.started, RUN_FILES.exit].map(
    (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs,
  );
  return begun === undefined || done === undefined ? 0 : Math.max(0, done - begun);
}

/** Says something to people at the end of the command's own stderr. */
export function appendNotice(directory: string, sentence: string): void {
  try {
    appendFileSync(join(directory, 'stderr'), `tritmesh: ${sentence}\n`);
  } catch {
    // Only a notice: a full disk must not keep the run from being ended.
  }
}

function limitOf(wallMs: number | undefined, reading: number): number {
  return wallMs === undefined ? GUARD_NEVER : addGuardTime(reading, wallMs + 2 * WALL_GRACE_MS);
}

function readText(directory: string, name: string): string | undefined {
  try {
    return readFileSync(join(directory, name), 'utf8');
  } catch {
    return undefined;
  }
}
