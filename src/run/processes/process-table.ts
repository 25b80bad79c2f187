/**
 * The processes of this machine, as far as a runner needs them: which session and group each is in, and when it
 * started. Linux: /proc. Elsewhere `ps`, which knows no session that can be relied on, so the group stands in for it.
 */
import { readFileSync } from 'node:fs';
import { askPs } from '../../os/ask-ps.js';
import { readBootId } from '../../os/boot-id.js';
import { errorCode, hasCode } from '../../os/errors.js';
import { listPids, readProcLink } from '../../os/proc-files.js';
import { hasEnded, readProcStat, type ProcStat } from '../../os/proc-stat.js';

/** One process. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Ended, and not yet fetched by its parent. */
  readonly zombie: boolean;
}

const isLinux = process.platform === 'linux';

/**
 * Reads all processes; about 15 µs a process on Linux, some 10 ms elsewhere. Throws when it cannot tell (the node has
 * no descriptor left): a table with holes would have runs ended that live.
 */
export function readProcessTable(): readonly ProcessRow[] {
  if (!isLinux) return parseProcessList(askPs('-A', '-o', 'pid=,ppid=,pgid=,stat='));
  return listPids().flatMap((pid) => {
    const stat = unlessGone(() => readProcStat(pid));
    return stat === undefined ? [] : [toRow(stat)];
  });
}

/** Like {@link readProcessTable}; empty when it cannot tell, for who asks again soon. */
export function tryReadProcessTable(): readonly ProcessRow[] {
  try {
    return readProcessTable();
  } catch {
    return [];
  }
}

/**
 * The start time of a live process; `undefined` when there is none, or only its zombie. Differs between boots. Throws
 * when it cannot tell.
 */
export function readStart(pid: number): string | undefined {
  if (!isLinux) return askPs('-o', 'lstart=', '-p', String(pid)).trim() || undefined;
  const stat = unlessGone(() => readProcStat(pid));
  return stat === undefined || hasEnded(stat) ? undefined : `${stat.startTicks}@${readBoot()}`;
}

/** Like {@link readStart}; `undefined` also when it cannot be told: nobody would find that process again. */
export function tryReadStart(pid: number): string | undefined {
  try {
    return readStart(pid);
  } catch {
    return undefined;
  }
}

/** Whether the very process lives that started then; where it cannot be told, one with its pid is taken for it. */
export function isAlive({ pid, start }: { readonly pid: number; readonly start: string }): boolean {
  if (pid <= 1) return false;
  try {
    const found = readStart(pid);
    if (found === undefined || found === start) return found === start;
    // The boot id may have been unreadable at one of the two times.
    const [ticks, boot] = found.split('@');
    const [toldTicks, toldBoot] = start.split('@');
    return ticks === toldTicks && (boot === '' || toldBoot === '');
  } catch {
    return exists(pid);
  }
}

/** Asks without a descriptor. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/**
 * Whether a start time as {@link readStart} gives it is of the machine's present run; where it does not tell, it may
 * be.
 */
export function isOfThisBoot(start: string): boolean {
  const [, told] = start.split('@');
  const boot = readBoot();
  return told === undefined || told === '' || boot === '' || told === boot;
}

/** Whether a process works below a directory, or was given it in its environment: how a member of a run is known. */
export function belongsTo(pid: number, directory: string): boolean {
  if (!isLinux) return askPs('eww', '-o', 'command=', '-p', String(pid)).includes(directory);
  const place = readProcLink(pid, 'cwd');
  if (place === directory || place.startsWith(`${directory}/`)) return true;
  const environment = unlessGone(() => readFileSync(`/proc/${pid}/environ`, 'utf8')) ?? '';
  return environment.split('\0').includes(`${RUN_DIRECTORY_VARIABLE}=${directory}`);
}

/** The variable that tells a command, and everything it starts, the directory of its run. */
export const RUN_DIRECTORY_VARIABLE = 'TRITMESH_RUN_DIRECTORY';

function toRow(stat: ProcStat): ProcessRow {
  const { pid, parent, group, session } = stat;
  return { pid, parent, group, session, zombie: hasEnded(stat) };
}

/** Reads `ps -o pid=,ppid=,pgid=,stat=`. */
export function parseProcessList(text: string): readonly ProcessRow[] {
  return [...text.matchAll(/^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)/gm)].map(([, pid, parent, group, state]) => ({
    pid: Number(pid),
    parent: Number(parent),
    group: Number(group),
    session: Number(group),
    zombie: state?.startsWith('Z') ?? false,
  }));
}

/** The descendants of a process, parents first; itself left out. */
export function listDescendants(pid: number, table: readonly ProcessRow[]): readonly ProcessRow[] {
  const found = table.filter((row) => row.parent === pid);
  for (const { pid: one } of found) found.push(...table.filter((row) => row.parent === one && row.pid !== pid));
  return found;
}

/** Enough of it to tell one run of the machine from the next; empty where it cannot be read. */
function readBoot(): string {
  return readBootId().slice(0, 8);
}

/**
 * What of a process is read by `read`; `undefined` when it is gone, or not ours to look at. Throws when it cannot tell.
 */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR')) return undefined;
    throw error;
  }
}
