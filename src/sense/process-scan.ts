/**
 * Scans the processes of a Linux machine with one read of /proc/PID/stat each: 1.5 to 3 ms for 80 processes, while
 * `ps` takes hundreds. It keeps no state between scans.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listPids } from '../os/proc-files.js';
import { parseProcStat, type ProcStat } from '../os/proc-stat.js';
import { tryReadRecord } from './proc-file.js';

/** The counters of one process. */
export interface ProcessCount {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  /** Start time in ticks since the boot of the machine. Together with the pid it identifies a process uniquely. */
  readonly startTicks: number;
  /** CPU time of the process itself, in ticks. */
  readonly ownTicks: number;
  /** CPU time of its ended descendants that were waited for, in ticks. */
  readonly childTicks: number;
  readonly residentBytes: number;
  /** Pid of its session leader. */
  readonly session: number;
  /** Whether it has a controlling terminal. */
  readonly terminal: boolean;
  readonly kernelThread: boolean;
}

/** The kernel's units, which differ between machines. */
export interface KernelUnits {
  readonly ticksPerS: number;
  readonly pageBytes: number;
}

/** Returns all processes by pid, without those that end during the scan. Throws if the directory cannot be read. */
export function scanProcesses(procDir: string, units: KernelUnits): ReadonlyMap<number, ProcessCount> {
  const found = new Map<number, ProcessCount>();
  for (const pid of listPids(procDir)) {
    const stat = parseProcStat(tryReadRecord(`${procDir}/${pid}/stat`) ?? '');
    if (stat !== undefined) found.set(stat.pid, toCount(stat, units));
  }
  return found;
}

/**
 * Reads the kernel's units from the auxiliary vector of this process (`/proc/self/auxv`), whose words have
 * `wordBytes`. If it cannot be read, they are 100 ticks and pages of 4 KiB, as on nearly every machine.
 */
export function readKernelUnits(procDir: string, wordBytes: 4 | 8): KernelUnits {
  const auxv = tryReadWords(join(procDir, 'self/auxv'));
  const words = new Map<number, number>();
  for (let at = 0; at + 2 * wordBytes <= auxv.length; at += 2 * wordBytes) {
    words.set(auxv.readUInt32LE(at), auxv.readUInt32LE(at + wordBytes));
  }
  return { pageBytes: words.get(AT_PAGESZ) ?? 4096, ticksPerS: words.get(AT_CLKTCK) ?? 100 };
}

const AT_PAGESZ = 6;
const AT_CLKTCK = 17;

function tryReadWords(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}

function toCount(stat: ProcStat, { pageBytes }: KernelUnits): ProcessCount {
  const { pid, parent, name, ownTicks, childTicks, startTicks, residentPages, session, tty, isKernel } = stat;
  return {
    pid,
    ppid: parent,
    name,
    startTicks: Number(startTicks),
    ownTicks,
    childTicks,
    residentBytes: residentPages * pageBytes,
    session,
    terminal: tty !== 0,
    kernelThread: isKernel,
  };
}
