/**
 * What a command left running outside its session when it ended: daemons, by the mark in their environment, which names one start
 * of one run on this machine. It finds and tells; of a nested tritmesh, of another run or user it finds nothing. Linux only:
 * elsewhere nobody can look safely.
 */
import { readdirSync, readFileSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { isGuardProcess } from './guard-process.js';
import {
  listDescendants,
  parseProcessStat,
  readProcessTable,
  RUN_DIRECTORY_VARIABLE,
  type ProcessRow,
} from './process-table.js';
import type { RunHandle } from './runner.js';

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

interface Candidate extends LeftProcess {
  readonly row: ProcessRow;
}

const NOTHING: LeftBehind = { marked: [], held: [], isUnclear: false };
/** The parent of the kernel's own threads, which have no environment. */
const KTHREADD = 2;
const isLinux = process.platform === 'linux';

/** The pid that was given last; `undefined` where the kernel does not tell. `/proc/loadavg` is somebody's invention in a container. */
export function readLastPid(): number | undefined {
  const last = Number(readText('/proc/sys/kernel/ns_last_pid').trim());
  return Number.isInteger(last) && last > 0 ? last : undefined;
}

/** Looks at all processes that are younger than the run: about 10 µs each, and 5 µs for each that is not. */
export function findLeftBehind(run: EndedRun): LeftBehind {
  if (!isLinux) return NOTHING;
  const candidates = listCandidates(run);
  const environments = new Map(candidates.map((one) => [one, readText(`/proc/${one.pid}/environ`)]));
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
  const row = parseProcessStat(readText(`/proc/${pid}/stat`));
  return row !== undefined && !row.zombie && row.startTicks === startTicks;
}

/** What was there before its launcher cannot be the run's. */
function listCandidates({ handle, afterPid }: EndedRun): readonly Candidate[] {
  const since = Number(handle.start.split('@')[0]);
  const last = readLastPid();
  // Pids are given in turn; they began anew when the last one is lower than the first.
  const [from, to] = afterPid === undefined || last === undefined || last < afterPid ? [0, Infinity] : [afterPid, last];
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!(pid > from && pid <= to) || pid === process.pid || pid === handle.pid) return [];
    const text = readText(`/proc/${name}/stat`);
    const row = parseProcessStat(text);
    if (row === undefined || row.zombie || row.parent === KTHREADD || Number(row.startTicks) < since) return [];
    return [{ pid, name: readName(text), startTicks: row.startTicks, row }];
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
  const ids = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)/m.exec(readText(`/proc/${pid}/status`))?.slice(1) ?? [];
  return ids.length === 3 && ids.every((id) => Number(id) === process.getuid?.());
}

/** The marked ones and what they started, which may have lost the mark; without those of a nested tritmesh. */
function withDescendants(marked: readonly Candidate[], candidates: readonly Candidate[]): readonly Candidate[] {
  const table = readProcessTable();
  const below = new Map(marked.map((one) => [one.pid, listDescendants(one.pid, table).map(({ pid }) => pid)]));
  const spared = new Set<number>();
  for (const [pid, pids] of below) {
    if (isTritmesh(pid) || pids.some(isGuardProcess)) for (const one of [pid, ...pids]) spared.add(one);
  }
  const own = new Set([...below].flatMap(([pid, pids]) => [pid, ...pids]));
  return candidates.filter(({ pid }) => own.has(pid) && !spared.has(pid) && isOurUser(pid));
}

/** A node, a broker or a command of tritmesh, however it is called: sparing one too many does less harm. */
function isTritmesh(pid: number): boolean {
  const words = readText(`/proc/${pid}/cmdline`).split('\0');
  return words.some((word) => /(?:^|\/)tritmesh$|\/dist\/src\/cli\/main\.js$/.test(word));
}

function listHeld({ pid, name }: Candidate, directory: string): readonly HeldFile[] {
  let descriptors: readonly string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    // It is gone, or another user's.
    return [];
  }
  return descriptors.flatMap((descriptor) => {
    const path = readLink(`/proc/${pid}/fd/${descriptor}`);
    if (!path.startsWith(`${directory}/`) || !canWrite(pid, descriptor)) return [];
    return isSameFile(`/proc/${pid}/fd/${descriptor}`, path) ? [{ pid, name, path }] : [];
  });
}

function canWrite(pid: number, descriptor: string): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readText(`/proc/${pid}/fdinfo/${descriptor}`))?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & 0o3) !== 0;
}

/**
 * In another mount namespace the same path may be another file, and a file that was replaced has its old one. What the job has made
 * unreachable cannot be told, nor cut off.
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

/** The name stands in parentheses and may hold anything; people see it. */
function readName(stat: string): string {
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  return name.replaceAll(/[^\x20-\x7e]/g, '?');
}

/** Byte for byte: an environment need not be UTF-8, and the directory of a run is compared as text. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
