/**
 * Lists the processes of a machine without /proc through systeminformation. This is slow (270 to 660 ms, most of it
 * in `ps`), so samples should be far apart. systeminformation is loaded only when it is needed.
 */
import { platform } from 'node:process';
import { defer, from, map } from 'rxjs';
import type { Systeminformation } from 'systeminformation';
import type { SampleProcesses } from './machine.js';
import type { ProcessSample } from './sense.js';

type Listed = Systeminformation.ProcessesProcessData;

/**
 * Platforms on which systeminformation compares two samples itself. Its first answer there is an average over the
 * lifetime of each process, and is discarded.
 */
const COMPARES_LOOKS: boolean = platform === 'linux' || platform === 'win32';

/** Lists the processes. `wall` returns the wall clock, ms, which start times refer to. Errors if the list is empty. */
export function createOtherProcesses(cpus: number, wall: () => number): SampleProcesses {
  let looked = false;
  return () =>
    defer(() => from(listProcesses())).pipe(
      map((list) => {
        const isFirst = COMPARES_LOOKS && !looked;
        looked = true;
        return isFirst ? [] : list.map((process) => describeProcess(process, cpus, wall())).filter(usesAnything);
      }),
    );
}

async function listProcesses(): Promise<readonly Listed[]> {
  const { processes } = await import('systeminformation');
  const { list } = await processes();
  if (list.length === 0) throw new Error('systeminformation lists no process');
  return list;
}

function describeProcess(process: Listed, cpus: number, wall: number): ProcessSample {
  // When it compares samples it returns the share of all cores; otherwise the share of one core, as printed by `ps`.
  const cpuPercent = process.cpu * (COMPARES_LOOKS ? cpus : 1);
  const startedAt = Date.parse(process.started.replace(' ', 'T'));
  return {
    pid: process.pid,
    ppid: process.parentPid,
    name: process.name,
    cpuPercent: Number.isFinite(cpuPercent) ? Math.max(0, cpuPercent) : 0,
    memoryPercent: Math.min(100, Math.max(0, process.mem)),
    ageS: Number.isNaN(startedAt) ? 0 : Math.max(0, (wall - startedAt) / 1000),
    // `??` means no terminal. Sessions are not reported.
    terminal: /[a-z]/.test(process.tty),
    ...(process.user === '' ? {} : { user: process.user }),
    command: [process.path, ...process.params.split(' ')].slice(0, 4),
  };
}

function usesAnything(process: ProcessSample): boolean {
  return process.pid > 0 && (process.cpuPercent > 0 || process.memoryPercent > 0);
}
