/**
 * Parses `/proc/PID/stat`, and is the only module that does. Linux only: elsewhere the file is missing, so no process
 * is found.
 */
import { readFileSync } from 'node:fs';
import { hasCode } from './errors.js';

/** One process as the kernel reports it; all pids are in the reader's own namespace. */
export interface ProcStat {
  readonly pid: number;
  /** The name the process gave itself, at most 15 bytes; it may hold spaces, brackets and newlines. */
  readonly name: string;
  /** One letter: R, S, D, T (stopped), Z (zombie), X (dead) … */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** Pid of the leader of its session. */
  readonly session: number;
  /** Device number of its controlling terminal; 0: none. */
  readonly tty: number;
  /** A kernel thread. */
  readonly isKernel: boolean;
  /** CPU time in ticks, user and system. */
  readonly ownTicks: number;
  /** CPU time in ticks of waited-for children and their descendants. */
  readonly childTicks: number;
  /**
   * Start time in ticks since boot, kept as text to the digit: with the pid it identifies a process within one boot.
   */
  readonly startTicks: string;
  readonly residentPages: number;
}

/** Ticks per second: USER_HZ, which is 100 on every Linux that Node.js supports. */
export const TICKS_PER_S = 100;

/** From the kernel's sched.h. */
const PF_KTHREAD = 0x0020_0000;
/** Fields up to the resident size; the line has 52, and skipping the rest halves the cost of the split. */
const FIELDS = 22;

/**
 * Parses the line; `undefined` when it is malformed. The name is in brackets and may contain some: the last `)` ends
 * it.
 */
export function parseProcStat(line: string): ProcStat | undefined {
  const open = line.indexOf('(');
  const close = line.lastIndexOf(')');
  if (open === -1 || close < open) return undefined;
  const fields = line.slice(close + 2).split(' ', FIELDS);
  const stat = {
    pid: Number.parseInt(line, 10),
    name: line.slice(open + 1, close),
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    tty: Number(fields[4]),
    // The flags may use all 32 bits. JavaScript's `&` treats them as signed, which does not affect this bit.
    isKernel: (Number(fields[6]) & PF_KTHREAD) !== 0,
    ownTicks: Number(fields[11]) + Number(fields[12]),
    childTicks: Number(fields[13]) + Number(fields[14]),
    startTicks: fields[19] ?? '',
    residentPages: Number(fields[21]),
  };
  const sum = stat.pid + stat.parent + stat.ownTicks + stat.childTicks + Number(stat.startTicks);
  return Number.isFinite(sum + stat.residentPages) ? stat : undefined;
}

/**
 * Reads the stat line of a process; `undefined` when it does not exist. Throws when it is hidden or the node is out
 * of descriptors.
 */
export function readProcStat(pid: number): ProcStat | undefined {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** Like {@link readProcStat}, but `undefined` instead of an error. */
export function tryReadProcStat(pid: number): ProcStat | undefined {
  try {
    return readProcStat(pid);
  } catch {
    return undefined;
  }
}

/** Whether the process has ended and only waits to be reaped by its parent. */
export function hasEnded({ state }: Pick<ProcStat, 'state'>): boolean {
  return state === 'Z' || state === 'X';
}
