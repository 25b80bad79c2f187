/**
 * Runs that an older version of tritmesh started: each behind a shell, the launcher, with a watchdog and its `sleep`
 * below it. They are taken up where they are found and never started any more. The files in their directories keep the
 * names that those versions gave them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock/clock.js';
import { askPs } from '../../os/ask-ps.js';
import { readCommandLine } from '../../os/proc-files.js';
import { tryReadProcStat } from '../../os/proc-stat.js';
import { readTextIfThere } from '../../os/try-read.js';
import type { NamespaceHead } from '../freeze/pid-namespace.js';
import { parseNamespaceHead } from '../launch/namespace-script.js';
import { readMonotonicMs, WALL_GRACE_MS, type PreparedLaunch } from '../directory/run-directory.js';
import { createFileDeadlines, followDeadline, WATCHDOG_NEVER } from '../watchdog/deadline.js';
import type { RunHandle } from '../runner.js';
import { followLegacyDeadline, readLegacyMs } from './legacy-deadline.js';

/** Files of such a run, besides `work/`, `stdout`, `stderr` and the deadline's. */
export const LEGACY_FILES = {
  /** What was to run, as shell text, with a head that identifies the launcher. */
  order: 'order',
  /** Created exclusively: by the launcher before the command could start, or by a node to forbid that. */
  started: 'started',
  /** Why the watchdog ended the run. */
  ended: 'ended',
} as const;

/** What the head of `order` says. */
export interface LegacyHead {
  readonly handle: RunHandle;
  readonly limit: number;
  /** `undefined` when a version before the monotonic clock wrote it: `limit` is then a reading of /proc/uptime. */
  readonly at: number | undefined;
  readonly namespace?: NamespaceHead;
}

/** Reads the head of `order`; `undefined` when there is none, or when it was not written for a launcher. */
export function readLegacyHead(directory: string): LegacyHead | undefined {
  return parseLegacyHead(readTextIfThere(join(directory, LEGACY_FILES.order)) ?? '');
}

/** Parses the head of `order`; `undefined` when it is incomplete. */
export function parseLegacyHead(text: string): LegacyHead | undefined {
  const match =
    /^launcher='(\d+) ([^'\n]*)'\nlimit=(\d+)\n(?:lease=\d+\nat=(\d+)|deadline=\d+)\n(?:# (\{.*\})\n)?/.exec(text);
  const [, pid, start, limit, at, namespaceText] = match ?? [];
  if (pid === undefined || start === undefined || limit === undefined) return undefined;
  const head = {
    handle: { pid: Number(pid), start },
    limit: Number(limit),
    at: at === undefined ? undefined : Number(at),
  };
  const namespace = parseNamespaceHead(namespaceText);
  return namespace === undefined ? head : { ...head, namespace };
}

/** The deadline and limit of such a run that is found alive. Without a head there is no wall-clock limit. */
export function readLegacyTerms(directory: string, clock: Pick<Clock, 'now'>, doubted: () => void): PreparedLaunch {
  const head = readLegacyHead(directory);
  const follow = (): PreparedLaunch['deadline'] =>
    followDeadline(createFileDeadlines(directory), clock, undefined, doubted);
  if (head === undefined) return { deadline: follow(), wallMs: Infinity, startedAt: undefined };
  const { limit, at: startedAt, namespace } = head;
  const ranMs = startedAt === undefined ? readLegacyMs() : readMonotonicMs() - startedAt;
  const wallMs = limit === WATCHDOG_NEVER ? Infinity : limit * 10 - ranMs - 2 * WALL_GRACE_MS;
  const deadline = startedAt === undefined ? followLegacyDeadline(directory, clock) : follow();
  return { deadline, wallMs, startedAt, namespace };
}

/** What the launcher of a run left. Throws when a file cannot be read. */
export function readLegacyEnd(directory: string): { readonly isStarted: boolean; readonly ended: string | undefined } {
  return {
    isStarted: existsSync(join(directory, LEGACY_FILES.started)),
    ended: readTextIfThere(join(directory, LEGACY_FILES.ended))?.trim(),
  };
}

/**
 * Whether a process is a launcher, a watchdog, or a watchdog's `sleep`: code that throttles or stops a run must leave
 * these alone, or the lease would not be enforced.
 */
export function isLegacyGuard(pid: number): boolean {
  if (runsLauncher(pid)) return true;
  const parent = readParent(pid);
  // A job that is a `sleep` has the launcher as its parent, not the watchdog below it.
  return readWords(pid)[0]?.endsWith('sleep') === true && runsLauncher(parent) && runsLauncher(readParent(parent));
}

/** The first line of the launcher's program; `ps` prints line ends in its own way, so no more of it is compared. */
const OPENING = 'trap : HUP INT QUIT TERM USR1 USR2';

/** Whether it is a shell with the launcher's text: the launcher, or the watchdog, which is forked from it. */
function runsLauncher(pid: number): boolean {
  const [, flag, text = ''] = readWords(pid);
  return flag === '-c' && text.trimStart().startsWith(OPENING);
}

function readWords(pid: number): readonly string[] {
  if (process.platform === 'linux') return readCommandLine(pid);
  const [program = '', flag = '', ...rest] = askPs('-ww', '-o', 'command=', '-p', String(pid)).split(' ');
  return [program, flag, rest.join(' ')];
}

function readParent(pid: number): number {
  if (process.platform !== 'linux') return Number(askPs('-ww', '-o', 'ppid=', '-p', String(pid))) || 0;
  return tryReadProcStat(pid)?.parent ?? 0;
}
