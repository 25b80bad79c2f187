/**
 * The run directory shared by node and launcher: prepared before a start, read after an end or a crash. The file
 * `started` is created exclusively, either by the launcher before it starts the command or by a node to forbid that,
 * so a run is started at most once, whichever comes first.
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

/**
 * Milliseconds from SIGTERM at the wall-clock limit to the node's SIGKILL, and from there to the watchdog's SIGKILL.
 */
export const WALL_GRACE_MS = 5000;

const FORBIDDEN = 'forbidden\n';

/** What a launcher left in its run directory. */
export interface Remains {
  /** The command may have been started. */
  readonly isStarted: boolean;
  readonly exit: Exit | undefined;
  /** Why the watchdog ended the run, if it did. */
  readonly ended: string | undefined;
}

/** What is fixed before the launcher is released. */
export interface PreparedLaunch {
  readonly deadline: Deadline;
  /** Milliseconds until the node ends it at its wall-clock limit; the watchdog's own limit is two graces later. */
  readonly wallMs: number;
  /**
   * When it was started here, in milliseconds of the machine's monotonic clock; `undefined` when that was not
   * recorded.
   */
  readonly startedAt: number | undefined;
  /** Set for a run that can be frozen. */
  readonly namespace?: NamespaceHead | undefined;
}

/** When a start was requested, by the clock that measures leases. */
export interface Timing {
  readonly clock: Pick<Clock, 'now'>;
  readonly since: number;
  /** Called when the run's watchdog is in doubt. */
  doubted(): void;
}

/**
 * Creates the run directory with `work/` and the reserved files. Returns why a run cannot be started there, or
 * `undefined`. Throws the file system's errors.
 */
export function openRunDirectory(directory: string, spare?: SpareDirectory): string | undefined {
  if (!directory.startsWith('/') || directory.includes('\n')) return `not an absolute path in one line: ${directory}`;
  if (!existsSync(directory) && spare?.moveTo(directory) === true) return undefined;
  mkdirSync(join(directory, 'work'), { recursive: true });
  if (existsSync(join(directory, RUN_FILES.started))) return `was started before in ${directory}`;
  reserveFiles(directory);
  return undefined;
}

/** The reason, for people, why a run directory could not be prepared. */
export function describeUnprepared(error: unknown): string {
  return `the run's directory could not be prepared: ${describeError(error)}`;
}

/**
 * Writes the launch script: a single file, because creating files is the most expensive part of a start. Throws the
 * file system's errors.
 */
export function writeLaunchScript(
  order: StartRequest,
  handle: RunHandle,
  timing: Timing,
  hasNamespace: boolean,
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
  // `exec` would take a name with a leading dash for an option.
  const program = name.startsWith('-') && 'path' in found ? found.path : name;
  const input = command.stdin === undefined ? '/dev/null' : join(work, command.stdin);
  const namespace: NamespaceHead | undefined = hasNamespace
    ? { kind: 'started', root: FIRST_PID, knownAs: directory, cpuS: 0, wallMs: 0 }
    : undefined;
  const { times, prepared } = timeStart(order, timing, command.wall_ms);
  writeFileSync(
    join(directory, RUN_FILES.order),
    formatLaunchScript({ handle, ...times, namespace, input, fault, argv: [program, ...args], environment }),
    { mode: 0o600 },
  );
  return { ...prepared, namespace };
}

/**
 * Writes the launch script that restores an image. Time the command used elsewhere counts against its wall-clock
 * limit. Throws the file system's errors.
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
  const namespace: NamespaceHead = { kind: 'restored', root, knownAs, cpuS, wallMs };
  const left = command.wall_ms === undefined ? undefined : Math.max(0, command.wall_ms - wallMs);
  const { times, prepared } = timeStart(order, timing, left);
  // Empty files are not transferred, but the command has them open.
  for (const name of ['stdout', 'stderr']) appendFileSync(join(directory, name), '');
  const restore = { binds, freePid };
  const rest = { input: '/dev/null', fault: undefined, environment: {} };
  const text = formatLaunchScript({ handle, ...times, namespace, ...rest, argv, restore });
  writeFileSync(join(directory, RUN_FILES.order), text, { mode: 0o600 });
  return { ...prepared, namespace };
}

/**
 * Reads the launch script of a run that is found alive after a node restart. Without one there is no wall-clock
 * limit.
 */
export function readPrepared(directory: string, { clock, doubted }: Omit<Timing, 'since'>): PreparedLaunch {
  const head = readLaunchHead(directory);
  if (head === undefined)
    return { deadline: followDeadline(directory, clock, undefined, doubted), wallMs: Infinity, startedAt: undefined };
  const { limit, at: startedAt, namespace } = head;
  const isLegacy = startedAt === undefined;
  const ranMs = isLegacy ? readLegacyMs() : readMonotonicMs() - startedAt;
  const wallMs = limit === WATCHDOG_NEVER ? Infinity : limit * 10 - ranMs - 2 * WALL_GRACE_MS;
  const deadline = isLegacy
    ? followLegacyDeadline(directory, clock)
    : followDeadline(directory, clock, undefined, doubted);
  return { deadline, wallMs, startedAt, namespace };
}

/**
 * Milliseconds of the machine's monotonic clock, which all processes of one boot share. It excludes suspended time,
 * and reading it needs no file.
 */
export function readMonotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/**
 * Times for the launch script and for the node's watch; lease and limit count from the request, whatever has been
 * done since.
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
 * Prevents a run from ever being started. `forbidden`: it certainly never started; `maybe`: a launcher came first;
 * `absent`: there is no directory, so nothing can start there any more, but it may have run before.
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

/** Reads the head of the launch script; `undefined` when there is none. */
export function readLaunchHead(directory: string): LaunchHead | undefined {
  return parseLaunchHead(readText(directory, RUN_FILES.order) ?? '');
}

/** Reads what a launcher left; call it once all processes of the run are gone. Throws when a file cannot be read. */
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

/** Appends a notice for people to the command's stderr; failures are ignored. */
export function appendNotice(directory: string, sentence: string): void {
  try {
    appendFileSync(join(directory, 'stderr'), `tritmesh: ${sentence}\n`);
  } catch {
    // A full disk must not keep the run from being ended.
  }
}

/**
 * The text of a file; `undefined` when it does not exist. Other errors are thrown, because they say nothing about its
 * content.
 */
function readText(directory: string, name: string): string | undefined {
  try {
    return readFileSync(join(directory, name), 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
