/**
 * The directory of a run as node and launcher share it: made ready before a start, read again after an end or a crash.
 * The file `started` is made exclusively, by the launcher that starts the command or by a node that forbids it, so a
 * run starts at most once however the two meet.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RestorePlan } from '../../checkpoint/checkpoint.js';
import { describeError, hasCode } from '../../os/errors.js';
import { FIRST_PID, type NamespaceHead } from '../freeze/pid-namespace.js';
import { composeEnvironment } from '../launch/environment.js';
import { parseExitFile, type Exit } from './exit-file.js';
import type { Clock } from '../../clock/clock.js';
import { followDeadline, WATCHDOG_NEVER, toWatchdogTime, type Deadline } from '../watchdog/deadline.js';
import { RUN_FILES } from '../launch/launcher.js';
import { formatMark, RUN_MARK_VARIABLE } from '../processes/left-behind.js';
import { followLegacyDeadline, readLegacyMs } from '../watchdog/legacy-deadline.js';
import { formatLaunchScript, parseLaunchHead, type LaunchScript, type LaunchHead } from '../launch/launch-script.js';
import { RUN_DIRECTORY_VARIABLE } from '../processes/process-table.js';
import { findInputFault, findProgram } from '../launch/find-program.js';
import { reserveFiles } from './reserved-files.js';
import type { RunHandle, StartRequest } from '../runner.js';
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
export interface PreparedLaunch {
  readonly deadline: Deadline;
  /** Milliseconds until the node ends it at its wall-clock limit; the guardian's limit comes two graces later. */
  readonly wallMs: number;
  /** Milliseconds of the machine's monotonic clock when it was started here; `undefined` when nobody wrote it down. */
  readonly startedAt: number | undefined;
  /** Of a run that can be frozen. */
  readonly box?: NamespaceHead | undefined;
}

/** When a start was asked for, by the clock that leases are measured with. */
export interface Timing {
  readonly clock: Pick<Clock, 'now'>;
  readonly since: number;
  /** Called when its guardian is in doubt. */
  doubted(): void;
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

/** Why a run cannot be started whose directory could not be made ready. */
export function describeUnprepared(error: unknown): string {
  return `the run's directory could not be prepared: ${describeError(error)}`;
}

/**
 * Writes the order: one file, because making files is the dearest part of a start. Throws what the file system does.
 */
export function writeLaunchScript(
  order: StartRequest,
  handle: RunHandle,
  timing: Timing,
  isBoxed: boolean,
): PreparedLaunch {
  const { command, directory } = order;
  const work = join(directory, 'work');
  const environment = composeEnvironment(process.env, command.env, order.environment, {
    [RUN_DIRECTORY_VARIABLE]: directory,
    [RUN_MARK_VARIABLE]: formatMark(handle),
  });
  const [name = '', ...args] = command.argv;
  const found = findProgram(name, environment['PATH'] ?? '', work);
  const fault =
    'fault' in found ? found.fault : command.stdin === undefined ? undefined : findInputFault(command.stdin, work);
  // A name that begins with a dash would be an option of `exec`.
  const program = name.startsWith('-') && 'path' in found ? found.path : name;
  const input = command.stdin === undefined ? '/dev/null' : join(work, command.stdin);
  const box: NamespaceHead | undefined = isBoxed
    ? { kind: 'started', root: FIRST_PID, knownAs: directory, cpuS: 0, wallMs: 0 }
    : undefined;
  const { times, prepared } = timeStart(order, timing, command.wall_ms);
  writeFileSync(
    join(directory, RUN_FILES.order),
    formatLaunchScript({ handle, ...times, box, input, fault, argv: [program, ...args], environment }),
    { mode: 0o600 },
  );
  return { ...prepared, box };
}

/**
 * Writes the order that restores an image. What the command used elsewhere counts against its wall-clock limit. Throws
 * what the file system does.
 */
export function writeRestoreScript(
  order: StartRequest,
  handle: RunHandle,
  timing: Timing,
  plan: RestorePlan,
): PreparedLaunch {
  const { command, directory } = order;
  const { facts, argv, binds, freePid } = plan;
  const { root, known_as: knownAs, cpu_s: cpuS, wall_ms: wallMs } = facts;
  const box: NamespaceHead = { kind: 'restored', root, knownAs, cpuS, wallMs };
  const left = command.wall_ms === undefined ? undefined : Math.max(0, command.wall_ms - wallMs);
  const { times, prepared } = timeStart(order, timing, left);
  // An empty one does not travel, and the command has it open all the same.
  for (const name of ['stdout', 'stderr']) appendFileSync(join(directory, name), '');
  const restore = { binds, freePid };
  const rest = { input: '/dev/null', fault: undefined, environment: {} };
  const text = formatLaunchScript({ handle, ...times, box, ...rest, argv, restore });
  writeFileSync(join(directory, RUN_FILES.order), text, { mode: 0o600 });
  return { ...prepared, box };
}

/** Reads what an order says to a node that finds its run alive. */
export function readPrepared(directory: string, { clock, doubted }: Omit<Timing, 'since'>): PreparedLaunch {
  const head = readLaunchHead(directory);
  if (head === undefined)
    return { deadline: followDeadline(directory, clock, undefined, doubted), wallMs: Infinity, startedAt: undefined };
  const { limit, at: startedAt, box } = head;
  const isLegacy = startedAt === undefined;
  const ranMs = isLegacy ? readLegacyMs() : readMonotonicMs() - startedAt;
  const wallMs = limit === WATCHDOG_NEVER ? Infinity : limit * 10 - ranMs - 2 * WALL_GRACE_MS;
  const deadline = isLegacy
    ? followLegacyDeadline(directory, clock)
    : followDeadline(directory, clock, undefined, doubted);
  return { deadline, wallMs, startedAt, box };
}

/**
 * Milliseconds of the machine's monotonic clock, which all processes of one run of the machine share. It does not count
 * sleep, and no file is read for it.
 */
export function readMonotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/**
 * What the order and the node's watch go by; lease and limit run from the request, whatever had to be found out since.
 */
function timeStart(
  { directory, guardMs }: StartRequest,
  { clock, since, doubted }: Timing,
  wallMs: number | undefined,
): { readonly times: Pick<LaunchScript, 'limit' | 'lease' | 'at'>; readonly prepared: PreparedLaunch } {
  const startedAt = readMonotonicMs();
  const passedMs = clock.now() - since;
  const leftMs = guardMs - passedMs;
  const limitMs = (wallMs ?? Infinity) - passedMs;
  return {
    times: { limit: toWatchdogTime(limitMs + 2 * WALL_GRACE_MS), lease: toWatchdogTime(leftMs), at: startedAt },
    prepared: { deadline: followDeadline(directory, clock, leftMs, doubted), wallMs: limitMs, startedAt },
  };
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
export function readLaunchHead(directory: string): LaunchHead | undefined {
  return parseLaunchHead(readText(directory, RUN_FILES.order) ?? '');
}

/** Reads what a launcher left; call it when nothing of the run lives. Throws when it cannot tell. */
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

/** `undefined` when there is no such file; throws when it cannot be read, for that says nothing about what is in it. */
function readText(directory: string, name: string): string | undefined {
  try {
    return readFileSync(join(directory, name), 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
