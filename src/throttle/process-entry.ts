/**
 * Reads what a throttle needs to know of a process: whether it is still the same one, whether it is stopped, and how
 * much processor time it has used. From /proc on Linux; elsewhere from `ps`, which takes some 10 ms a call.
 */
import { askPs } from '../os/ask-ps.js';
import { hasEnded, readProcStat, TICKS_PER_S, type ProcStat } from '../os/proc-stat.js';

/** A live process. */
export interface ProcessEntry {
  readonly pid: number;
  /** Ticks since the boot of the machine; elsewhere the date printed by `ps`. */
  readonly start: string;
  readonly stopped: boolean;
  /** Processor time on all cores, in seconds; `undefined` where reading it is too expensive. */
  readonly cpuS: number | undefined;
}

/** Reads a process; `undefined` if it does not exist, is only a zombie, or cannot be read. */
export function readThrottleEntry(pid: number): ProcessEntry | undefined {
  const entry = isLinux ? readEntry(pid) : askEntry(pid);
  return entry === 'unknown' ? undefined : entry;
}

/**
 * Whether a process is still alive and the same one. If that is unknown (no file descriptor is left) the answer is
 * true: a process must not stay stopped because its file could not be opened.
 */
export function isSame({ pid, start }: { readonly pid: number; readonly start: string }): boolean {
  const entry = isLinux ? readEntry(pid) : askEntry(pid);
  return entry === 'unknown' || entry?.start === start;
}

const isLinux = process.platform === 'linux';

function readEntry(pid: number): ProcessEntry | 'unknown' | undefined {
  let stat: ProcStat | undefined;
  try {
    stat = readProcStat(pid);
  } catch {
    return 'unknown';
  }
  if (stat === undefined || hasEnded(stat)) return undefined;
  return { pid, start: stat.startTicks, stopped: stat.state === 'T', cpuS: stat.ownTicks / TICKS_PER_S };
}

function askEntry(pid: number): ProcessEntry | undefined {
  const text = askPs('-o', 'stat=,lstart=', '-p', String(pid)).trim();
  const [, state = 'Z', start = ''] = /^(\S+)\s+(.*)$/.exec(text) ?? [];
  return state.startsWith('Z') ? undefined : { pid, start, stopped: state.startsWith('T'), cpuS: undefined };
}
