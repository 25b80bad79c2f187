/**
 * One process as a throttle needs to know it: whether it is still the one that was meant, whether it is stopped, and how
 * long it ran. Linux: /proc. Elsewhere `ps`, some 10 ms a call.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

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
export function readEntry(pid: number): ProcessEntry | undefined {
  const entry = process.platform === 'linux' ? readStat(pid) : askPs(pid);
  return entry === 'unknown' ? undefined : entry;
}

/**
 * Whether the very process lives. Where it cannot be told (no descriptor is left) it is taken to: what is stopped must not be left so
 * because its file could not be opened.
 */
export function isSame({ pid, start }: { readonly pid: number; readonly start: string }): boolean {
  const entry = process.platform === 'linux' ? readStat(pid) : askPs(pid);
  return entry === 'unknown' || entry?.start === start;
}

/** USER_HZ: 100 wherever Node runs on Linux. */
const TICKS_PER_S = 100;

function readStat(pid: number): ProcessEntry | 'unknown' | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
    return isGone ? undefined : 'unknown';
  }
  // The name stands in brackets and may hold brackets itself.
  const fields = text.slice(text.lastIndexOf(') ') + 2).split(' ');
  const [state = 'X'] = fields;
  const start = fields[19];
  if (start === undefined || state === 'Z' || state === 'X') return undefined;
  const cpuS = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
  return { pid, start, stopped: state === 'T', cpuS };
}

function askPs(pid: number): ProcessEntry | undefined {
  try {
    const args = ['-o', 'stat=,lstart=', '-p', String(pid)];
    const text = execFileSync('ps', args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const [, state = 'Z', start = ''] = /^(\S+)\s+(.*)$/.exec(text) ?? [];
    return state.startsWith('Z') ? undefined : { pid, start, stopped: state.startsWith('T'), cpuS: undefined };
  } catch {
    return undefined;
  }
}
