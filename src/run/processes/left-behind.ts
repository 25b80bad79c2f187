/**
 * Finds the processes that a command left running outside its session, such as daemons. They are recognised by a mark
 * in their environment that identifies one start of one run on this machine. It only finds and reports, and never
 * reports processes of a nested tritmesh, of another run or of another user. Linux only: elsewhere there is no safe
 * way to find them.
 */
import { statSync, type Stats } from 'node:fs';
import { isTritmeshProgram } from '../../core/processes/own-program.js';
import {
  listPids,
  readCommandLine,
  readDescriptorFlags,
  readProc,
  readProcLink,
  readUserIds,
} from '../../os/proc-files.js';
import { hasEnded, tryReadProcStat } from '../../os/proc-stat.js';
import { tryListNames, tryReadText } from '../../os/try-read.js';
import { isLegacyGuard } from '../legacy/legacy-launcher.js';
import { listDescendants, readProcessTable, RUN_DIRECTORY_VARIABLE } from './process-table.js';
import type { RunHandle } from '../runner.js';

/** The environment variable that marks everything a command starts with its start of its run. */
export const RUN_MARK_VARIABLE = 'TRITMESH_RUN_MARK';

/** The run whose leftover processes are searched for. */
export interface EndedRun {
  readonly handle: RunHandle;
  readonly directory: string;
  /** The value of the run's mark. */
  readonly mark: string;
  /** The last pid assigned before its command started; `undefined` when unknown. */
  readonly afterPid: number | undefined;
}

/** A process that was left behind. */
export interface LeftProcess {
  readonly pid: number;
  readonly name: string;
  /** Start time in ticks, since the pid may be reused at any time. */
  readonly startTicks: string;
}

/** A file of the run that a process outside the run may still write to. */
export interface HeldFile {
  readonly pid: number;
  readonly name: string;
  readonly path: string;
}

/** The result of a search. */
export interface LeftBehind {
  /** Processes of the run, to be killed. */
  readonly marked: readonly LeftProcess[];
  /** Files of the run that other, younger processes have open for writing. */
  readonly held: readonly HeldFile[];
  /** A process was in the middle of an exec, when its mark cannot be read. */
  readonly isUnclear: boolean;
}

const NOTHING: LeftBehind = { marked: [], held: [], isUnclear: false };
/** The parent of kernel threads, which have no environment. */
const KTHREADD = 2;
const isLinux = process.platform === 'linux';

/**
 * The last pid that was assigned; `undefined` where the kernel does not say. (`/proc/loadavg` has it too, but is made
 * up in some containers.)
 */
export function readLastPid(): number | undefined {
  const last = Number((tryReadText('/proc/sys/kernel/ns_last_pid') ?? '').trim());
  return Number.isInteger(last) && last > 0 ? last : undefined;
}

/**
 * Searches all processes younger than the run: about 10 µs for each of these, and 5 µs for each other one. Throws
 * when /proc or the process table cannot be read.
 */
export function findLeftBehind(run: EndedRun): LeftBehind {
  if (!isLinux) return NOTHING;
  const candidates = listLeftProcesss(run);
  const environments = new Map(candidates.map((one) => [one, readProc(one.pid, 'environ')]));
  const marked = candidates.filter((one) => hasMark(environments.get(one) ?? '', run) && isOurUser(one.pid));
  const own = new Set(marked.length === 0 ? [] : withDescendants(marked, candidates));
  return {
    marked: [...own].map(({ pid, name, startTicks }) => ({ pid, name, startTicks })),
    held: candidates.filter((one) => !own.has(one)).flatMap((one) => listHeld(one, run.directory)),
    isUnclear: candidates.some((one) => environments.get(one) === '' && isOurUser(one.pid)),
  };
}

/** Whether this same process is still alive. */
export function isStillThere({ pid, startTicks }: LeftProcess): boolean {
  const stat = tryReadProcStat(pid);
  return stat !== undefined && !hasEnded(stat) && stat.startTicks === startTicks;
}

/** Lists processes younger than the leader; older ones cannot belong to the run. */
function listLeftProcesss({ handle, afterPid }: EndedRun): readonly LeftProcess[] {
  const since = Number(handle.start.split('@')[0]);
  const last = readLastPid();
  // Pids are assigned in ascending order; they wrapped around if the last one is below the first.
  const [from, to] = afterPid === undefined || last === undefined || last < afterPid ? [0, Infinity] : [afterPid, last];
  return listPids().flatMap((pid) => {
    if (!(pid > from && pid <= to) || pid === process.pid || pid === handle.pid) return [];
    const stat = tryReadProcStat(pid);
    if (stat === undefined || hasEnded(stat) || stat.parent === KTHREADD || Number(stat.startTicks) < since) return [];
    return [{ pid, name: showName(stat.name), startTicks: stat.startTicks }];
  });
}

/** The directory is compared as well, because its name contains the epoch. */
function hasMark(environment: string, { mark, directory }: EndedRun): boolean {
  const lines = environment.split('\0');
  return lines.includes(`${RUN_MARK_VARIABLE}=${mark}`) && lines.includes(`${RUN_DIRECTORY_VARIABLE}=${directory}`);
}

/** Whether real, effective and saved user are the node's: a program that changed its user is left alone. */
function isOurUser(pid: number): boolean {
  const ids = readUserIds(pid).slice(0, 3);
  return ids.length === 3 && ids.every((id) => id === process.getuid?.());
}

/** The marked processes and their descendants, which may have lost the mark, except those of a nested tritmesh. */
function withDescendants(marked: readonly LeftProcess[], candidates: readonly LeftProcess[]): readonly LeftProcess[] {
  const table = readProcessTable();
  const below = new Map(marked.map((one) => [one.pid, listDescendants(one.pid, table).map(({ pid }) => pid)]));
  const spared = new Set<number>();
  for (const [pid, pids] of below) {
    if (isTritmesh(pid) || pids.some(isLegacyGuard)) for (const one of [pid, ...pids]) spared.add(one);
  }
  const own = new Set([...below].flatMap(([pid, pids]) => [pid, ...pids]));
  return candidates.filter(({ pid }) => own.has(pid) && !spared.has(pid) && isOurUser(pid));
}

/** Whether it is a tritmesh node, broker or command, however it was invoked; sparing one too many does less harm. */
function isTritmesh(pid: number): boolean {
  return readCommandLine(pid).some(isTritmeshProgram);
}

function listHeld({ pid, name }: LeftProcess, directory: string): readonly HeldFile[] {
  return tryListNames(`/proc/${pid}/fd`).flatMap((descriptor) => {
    const path = readProcLink(pid, `fd/${descriptor}`);
    if (!path.startsWith(`${directory}/`) || !canWrite(pid, descriptor)) return [];
    return isSameFile(`/proc/${pid}/fd/${descriptor}`, path) ? [{ pid, name, path }] : [];
  });
}

function canWrite(pid: number, descriptor: string): boolean {
  const flags = readDescriptorFlags(pid, descriptor);
  return flags !== undefined && (flags & 0o3) !== 0;
}

/**
 * Whether the open file is the one at `path`: another mount namespace may have another file there, and a replaced
 * file keeps its old path. Where the job made the path inaccessible it is false, and the file cannot be replaced
 * either.
 */
function isSameFile(through: string, path: string): boolean {
  const [open, there] = [through, path].map(statOrNothing);
  return open?.isFile() === true && open.ino === there?.ino && open.dev === there.dev;
}

function statOrNothing(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Makes a process name printable: it may contain any bytes and is shown to people. */
function showName(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?');
}
