/**
 * One process as a throttle needs to know it: whether it is still the one that was meant, whether it is stopped, and
 * how long it ran. Linux: /proc. Elsewhere `ps`, some 10 ms a call.
 */
import { askPs } from '../os/ask-ps.js';
import { hasEnded, readProcStat, TICKS_PER_S, type ProcStat } from '../os/proc-stat.js';

/** A live process. */
export interface ProcessEntry {
  readonly pid: number;
  /** Ticks after the machine's start; elsewhere the date that `ps` gives. */
  readonly start: string;
  readonly stopped: boolean;
  /** Seconds that it ran on all cores; `undefined` where that is too dear to ask. */
  readonly cpuS: number | undefined;
}

/** Reads a process; `undefined` when there is none, or only its zombie, and when it cannot be told. */
export function readThrottleEntry(pid: number): ProcessEntry | undefined {
  const entry = isLinux ? readEntry(pid) : askEntry(pid);
  return entry === 'unknown' ? undefined : entry;
}

/**
 * Whether the very process lives. Where it cannot be told (no descriptor is left) it is taken to: what is stopped must
 * not be left so because its file could not be opened.
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
