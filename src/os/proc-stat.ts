/**
 * The one line that the kernel writes on a process, `/proc/PID/stat`: parsed here and nowhere else. Linux only;
 * elsewhere there is no such file, and so no process.
 */
import { readFileSync } from 'node:fs';
import { hasCode } from './errors.js';

/** One process as the kernel counts it; all pids are those of the reader's own namespace. */
export interface ProcStat {
  readonly pid: number;
  /** Whatever the process calls itself, blanks, brackets and ends of line among it; 15 bytes at most. */
  readonly name: string;
  /** One letter: R, S, D, T (stopped), Z (zombie), X (dead) … */
  readonly state: string;
  readonly parent: number;
  /** Its process group. */
  readonly group: number;
  /** Pid of the leader of its session. */
  readonly session: number;
  /** Device number of its controlling terminal; 0: none. */
  readonly tty: number;
  /** It is a thread of the kernel's. */
  readonly isKernel: boolean;
  /** Ticks that it ran, user and system. */
  readonly ownTicks: number;
  /** Ticks that the children it waited for ran, and theirs. */
  readonly childTicks: number;
  /** Its start in ticks after the machine's, to the letter: with the pid it names a process for good. */
  readonly startTicks: string;
  readonly residentPages: number;
}

/** Ticks in a second: USER_HZ, which is 100 on every Linux that Node.js runs on. */
export const TICKS_PER_S = 100;

/** From the kernel's sched.h. */
const PF_KTHREAD = 0x0020_0000;
/** Those behind the size of what is resident, of 52, are not looked at: that makes the split half as dear. */
const FIELDS = 22;

/** Parses it; `undefined` when it is none. The name stands in brackets and may hold some: the last `)` ends it. */
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
    // The flags may fill 32 bits: JavaScript's `&` takes them as signed, which leaves this bit alone.
    isKernel: (Number(fields[6]) & PF_KTHREAD) !== 0,
    ownTicks: Number(fields[11]) + Number(fields[12]),
    childTicks: Number(fields[13]) + Number(fields[14]),
    startTicks: fields[19] ?? '',
    residentPages: Number(fields[21]),
  };
  const sum = stat.pid + stat.parent + stat.ownTicks + stat.childTicks + Number(stat.startTicks);
  return Number.isFinite(sum + stat.residentPages) ? stat : undefined;
}

/** Reads a process; `undefined` when there is none. Throws when it is hidden, or no descriptor is left. */
export function readProcStat(pid: number): ProcStat | undefined {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** Like {@link readProcStat}; `undefined` also when it cannot be told. */
export function tryReadProcStat(pid: number): ProcStat | undefined {
  try {
    return readProcStat(pid);
  } catch {
    return undefined;
  }
}

/** Whether only its entry is left, which its parent has not fetched. */
export function hasEnded({ state }: Pick<ProcStat, 'state'>): boolean {
  return state === 'Z' || state === 'X';
}
