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

/** Reads a process; `undefined` when there is none, or only its zombie. */
export function readEntry(pid: number): ProcessEntry | undefined {
  return process.platform === 'linux' ? readStat(pid) : askPs(pid);
}

/** Whether the very process lives. */
export function isSame({ pid, start }: { readonly pid: number; readonly start: string }): boolean {
  return readEntry(pid)?.start === start;
}

/** USER_HZ: 100 wherever Node runs on Linux. */
const TICKS_PER_S = 100;

function readStat(pid: number): ProcessEntry | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
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
