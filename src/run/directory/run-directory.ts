/**
 * The directory of a run: opened before a start, read after an end or a crash. Whether a run was started stands in the
 * log of its supervisor; a directory in which none may start any more is marked as such.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, hasCode } from '../../os/errors.js';
import type { NamespaceHead } from '../freeze/pid-namespace.js';
import { parseExitFile, type Exit } from './exit-file.js';
import type { Clock } from '../../clock/clock.js';
import type { Deadline } from '../watchdog/deadline.js';
import { EXIT_FILE, ORDER_FILE } from './reserved-files.js';
import type { SpareDirectory } from './spare-directory.js';

/**
 * Milliseconds from SIGTERM at the wall-clock limit to the node's SIGKILL, and from there to the supervisor's SIGKILL.
 */
export const WALL_GRACE_MS = 5000;

/** Created exclusively by a node that forbids a start, and by the launchers of older versions as they started a run. */
const STARTED_FILE = 'started';
const FORBIDDEN = 'forbidden\n';

/** What is fixed when a run starts. */
export interface PreparedLaunch {
  readonly deadline: Deadline;
  /** Milliseconds until the node ends it at its wall-clock limit; the supervisor's own limit is two graces later. */
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
  readonly clock: Clock;
  readonly since: number;
  /** Called when the supervisor is in doubt about the run's lease. */
  doubted(): void;
}

/**
 * Creates the run directory with `work/`; `isCopy`: for a restored run. Returns why a run cannot be started there, or
 * `undefined`. Throws the file system's errors.
 */
export function openRunDirectory(directory: string, isCopy: boolean, spare?: SpareDirectory): string | undefined {
  if (!directory.startsWith('/') || directory.includes('\n')) return `not an absolute path in one line: ${directory}`;
  if (!isCopy && !existsSync(directory) && spare?.moveTo(directory) === true) return undefined;
  mkdirSync(join(directory, 'work'), { recursive: true });
  // A copy brings its streams with it.
  const traces = [STARTED_FILE, isCopy ? ORDER_FILE : 'stdout'];
  return traces.some((name) => existsSync(join(directory, name))) ? `was started before in ${directory}` : undefined;
}

/** The reason, for people, why a run directory could not be prepared. */
export function describeUnprepared(error: unknown): string {
  return `the run's directory could not be prepared: ${describeError(error)}`;
}

/**
 * Milliseconds of the machine's monotonic clock, which all processes of one boot share. It excludes suspended time,
 * and reading it needs no file.
 */
export function readMonotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/**
 * Prevents a run from ever being started. `forbidden`: it certainly never started; `maybe`: a launcher came first;
 * `absent`: there is no directory, so nothing can start there any more, but it may have run before.
 */
export function forbidStart(directory: string): 'forbidden' | 'maybe' | 'absent' {
  try {
    writeFileSync(join(directory, STARTED_FILE), FORBIDDEN, { flag: 'wx' });
    return 'forbidden';
  } catch {
    if (!existsSync(directory)) return 'absent';
    return readText(directory, STARTED_FILE) === FORBIDDEN ? 'forbidden' : 'maybe';
  }
}

/** Reads how a run in a pid namespace ended, or one of an older version. Throws when the file cannot be read. */
export function readExit(directory: string): Exit | undefined {
  return parseExitFile(readText(directory, EXIT_FILE) ?? '');
}

/** Milliseconds that a run of an older version ran, by the wall clock; 0 when unknown. */
export function measureRun(directory: string): number {
  const [begun, done] = [STARTED_FILE, EXIT_FILE].map(
    (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs,
  );
  return begun === undefined || done === undefined ? 0 : Math.max(0, done - begun);
}

/** Milliseconds since an older version's launcher began the run, by the wall clock; 0 when unknown. */
export function measureAge(directory: string): number {
  const begun = statSync(join(directory, STARTED_FILE), { throwIfNoEntry: false })?.mtimeMs;
  return begun === undefined ? 0 : Math.max(0, Date.now() - begun);
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
