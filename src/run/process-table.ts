/**
 * The processes of this machine, as far as a runner needs them: which session and group each is in, and when it started.
 * Linux: /proc. Elsewhere `ps`, which knows no session that can be relied on, so the group stands in for it.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

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
 * Reads all processes; about 15 µs a process on Linux, some 10 ms elsewhere. Throws when it cannot tell (the node has no descriptor
 * left): a table with holes would have runs ended that live.
 */
export function readProcessTable(): readonly ProcessRow[] {
  if (!isLinux) return parseProcessList(listProcesses(['-A', '-o', 'pid=,ppid=,pgid=,stat=']));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => parseProcessStat(readText(`/proc/${name}/stat`)) ?? []);
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
 * The start time of a live process; `undefined` when there is none, or only its zombie. Differs between boots. Throws when it cannot
 * tell.
 */
export function readStart(pid: number): string | undefined {
  if (!isLinux) return listProcesses(['-o', 'lstart=', '-p', String(pid)]).trim() || undefined;
  const row = parseProcessStat(readText(`/proc/${pid}/stat`));
  return row === undefined || row.zombie ? undefined : `${row.startTicks}@${readBoot()}`;
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
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether a start time as {@link readStart} gives it is of the machine's present run; where it does not tell, it may be. */
export function isOfThisBoot(start: string): boolean {
  const [, told] = start.split('@');
  const boot = readBoot();
  return told === undefined || told === '' || boot === '' || told === boot;
}

/** Whether a process works below a directory, or was given it in its environment: how a member of a run is known. */
export function belongsTo(pid: number, directory: string): boolean {
  if (!isLinux) return listProcesses(['eww', '-o', 'command=', '-p', String(pid)]).includes(directory);
  const place = readPlace(pid);
  if (place === directory || place.startsWith(`${directory}/`)) return true;
  return readText(`/proc/${pid}/environ`).split('\0').includes(`${RUN_DIRECTORY_VARIABLE}=${directory}`);
}

/** The variable that tells a command, and everything it starts, the directory of its run. */
export const RUN_DIRECTORY_VARIABLE = 'TRITMESH_RUN_DIRECTORY';

/** Reads /proc/PID/stat; the name in it may hold spaces and parentheses. */
export function parseProcessStat(text: string): (ProcessRow & { readonly startTicks: string }) | undefined {
  const fields = text.slice(text.lastIndexOf(') ') + 2).split(' ');
  const [state, parent, group, session] = fields;
  const startTicks = fields[19];
  const pid = Number.parseInt(text, 10);
  if (state === undefined || startTicks === undefined || !Number.isInteger(pid)) return undefined;
  const zombie = state === 'Z' || state === 'X';
  return { pid, parent: Number(parent), group: Number(group), session: Number(session), zombie, startTicks };
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

/** The pids of a process, from this pid namespace to its innermost; empty when it is gone or cannot be read. Linux only. */
export function readPidsWithin(pid: number): readonly number[] {
  const text = /^NSpid:\s*(.*)$/m.exec(tryReadText(`/proc/${pid}/status`))?.[1];
  return text === undefined ? [] : text.split(/\s+/).map(Number);
}

let boot = '';

/** Empty where it cannot be read; that is asked again. */
function readBoot(): string {
  if (boot !== '') return boot;
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8);
  } catch {
    // Some containers hide it.
  }
  return boot;
}

/** Reads a file of a process; empty when that is gone. Throws when it cannot tell. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && IS_GONE.has(String(error.code))) return '';
    throw error;
  }
}

function tryReadText(file: string): string {
  try {
    return readText(file);
  } catch {
    return '';
  }
}

/** What the kernel says of a process that is gone, or that is not ours to look at. */
const IS_GONE: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR']);

function readPlace(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** Runs `ps`, which fails when no process matches. */
function listProcesses(args: readonly string[]): string {
  try {
    return execFileSync('ps', args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
