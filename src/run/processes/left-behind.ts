/**
 * What a command left running outside its session when it ended: daemons, by the mark in their environment, which names
 * one start of one run on this machine. It finds and tells; of a nested tritmesh, of another run or user it finds
 * nothing. Linux only: elsewhere nobody can look safely.
 */
import { statSync, type Stats } from 'node:fs';
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
import { isWatchdogProcess } from '../watchdog/watchdog-process.js';
import { listDescendants, readProcessTable, RUN_DIRECTORY_VARIABLE } from './process-table.js';
import type { RunHandle } from '../runner.js';

/** The variable that tells everything that a command starts which start of which run it belongs to. */
export const RUN_MARK_VARIABLE = 'TRITMESH_RUN_MARK';

/** The mark of a run: pid and start time of its launcher, and the machine's boot. No other run has it. */
export function formatMark({ pid, start }: RunHandle): string {
  return `${pid}.${start}`;
}

/** Whose leavings are looked for. */
export interface EndedRun {
  readonly handle: RunHandle;
  readonly directory: string;
  /** The highest pid that was there before its command; `undefined` when that is not known any more. */
  readonly afterPid: number | undefined;
}

/** One process that was left. */
export interface LeftProcess {
  readonly pid: number;
  readonly name: string;
  /** Start time in ticks: a pid may be another's a moment later. */
  readonly startTicks: string;
}

/** A file of the run that a process which is not its own may go on writing. */
export interface HeldFile {
  readonly pid: number;
  readonly name: string;
  readonly path: string;
}

/** What there is. */
export interface LeftBehind {
  /** The run's own: to be ended. */
  readonly marked: readonly LeftProcess[];
  /** Others that were started meanwhile and have files of the run open to write. */
  readonly held: readonly HeldFile[];
  /** Somebody is being replaced by another program at this very moment: no mark can be read. */
  readonly isUnclear: boolean;
}

const NOTHING: LeftBehind = { marked: [], held: [], isUnclear: false };
/** The parent of the kernel's own threads, which have no environment. */
const KTHREADD = 2;
const isLinux = process.platform === 'linux';

/**
 * The pid that was given last; `undefined` where the kernel does not tell. `/proc/loadavg` is somebody's invention in a
 * container.
 */
export function readLastPid(): number | undefined {
  const last = Number((tryReadText('/proc/sys/kernel/ns_last_pid') ?? '').trim());
  return Number.isInteger(last) && last > 0 ? last : undefined;
}

/** Looks at all processes that are younger than the run: about 10 µs each, and 5 µs for each that is not. */
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

/** Whether it is that very process, alive. */
export function isStillThere({ pid, startTicks }: LeftProcess): boolean {
  const stat = tryReadProcStat(pid);
  return stat !== undefined && !hasEnded(stat) && stat.startTicks === startTicks;
}

/** What was there before its launcher cannot be the run's. */
function listLeftProcesss({ handle, afterPid }: EndedRun): readonly LeftProcess[] {
  const since = Number(handle.start.split('@')[0]);
  const last = readLastPid();
  // Pids are given in turn; they began anew when the last one is lower than the first.
  const [from, to] = afterPid === undefined || last === undefined || last < afterPid ? [0, Infinity] : [afterPid, last];
  return listPids().flatMap((pid) => {
    if (!(pid > from && pid <= to) || pid === process.pid || pid === handle.pid) return [];
    const stat = tryReadProcStat(pid);
    if (stat === undefined || hasEnded(stat) || stat.parent === KTHREADD || Number(stat.startTicks) < since) return [];
    return [{ pid, name: showName(stat.name), startTicks: stat.startTicks }];
  });
}

/** The directory has the epoch in its name. */
function hasMark(environment: string, { handle, directory }: EndedRun): boolean {
  const lines = environment.split('\0');
  return (
    lines.includes(`${RUN_MARK_VARIABLE}=${formatMark(handle)}`) &&
    lines.includes(`${RUN_DIRECTORY_VARIABLE}=${directory}`)
  );
}

/** Real, effective and saved user are the node's: a program that became somebody else is left to that one. */
function isOurUser(pid: number): boolean {
  const ids = readUserIds(pid).slice(0, 3);
  return ids.length === 3 && ids.every((id) => id === process.getuid?.());
}

/** The marked ones and what they started, which may have lost the mark; without those of a nested tritmesh. */
function withDescendants(marked: readonly LeftProcess[], candidates: readonly LeftProcess[]): readonly LeftProcess[] {
  const table = readProcessTable();
  const below = new Map(marked.map((one) => [one.pid, listDescendants(one.pid, table).map(({ pid }) => pid)]));
  const spared = new Set<number>();
  for (const [pid, pids] of below) {
    if (isTritmesh(pid) || pids.some(isWatchdogProcess)) for (const one of [pid, ...pids]) spared.add(one);
  }
  const own = new Set([...below].flatMap(([pid, pids]) => [pid, ...pids]));
  return candidates.filter(({ pid }) => own.has(pid) && !spared.has(pid) && isOurUser(pid));
}

/** A node, a broker or a command of tritmesh, however it is called: sparing one too many does less harm. */
function isTritmesh(pid: number): boolean {
  const words = readCommandLine(pid);
  return words.some((word) => /(?:^|\/)tritmesh$|\/dist\/src\/cli\/main\.js$/.test(word));
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
 * In another mount namespace the same path may be another file, and a file that was replaced has its old one. What the
 * job has made unreachable cannot be told, nor cut off.
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

/** A name may hold anything; people see it. */
function showName(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, '?');
}
