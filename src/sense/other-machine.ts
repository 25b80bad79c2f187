/**
 * Samples a machine without /proc (macOS, BSD, Windows): through Node, and through systeminformation for the memory,
 * since Node counts the file cache as used. systeminformation is loaded only when it is needed.
 */
import { cpus as listCpus, loadavg } from 'node:os';
import { platform } from 'node:process';
import { defer, from, map } from 'rxjs';
import { shareBusy, type CpuTimes } from './cpu-times.js';
import type { SampleMachine } from './machine.js';

/** Samples a machine without /proc. The first sample has no CPU share. Errors if the memory size is not available. */
export function createOtherMachine(cpus: number): SampleMachine {
  let before: CpuTimes | undefined;
  return (now) =>
    defer(() => from(readMemory())).pipe(
      map(({ total, available }) => {
        const times = readCpuTimes();
        const cpuPercent = shareBusy(before, times);
        before = times;
        return {
          now,
          cpus,
          cpuPercent,
          memoryPercent: Math.min(100, Math.max(0, (100 * (total - available)) / total)),
          memoryBytes: total,
          psiPercent: undefined,
          // Node returns zeros on Windows, which has no load average.
          loadAverage1: platform === 'win32' ? undefined : loadavg()[0],
          activeTasks: undefined,
        };
      }),
    );
}

async function readMemory(): Promise<{ total: number; available: number }> {
  const { mem } = await import('systeminformation');
  const { total, available } = await mem();
  if (!(total > 0) || !Number.isFinite(available)) throw new Error('this system does not tell its memory');
  return { total, available };
}

/** Milliseconds, summed over all cores. */
function readCpuTimes(): CpuTimes {
  let busy = 0;
  let idle = 0;
  for (const { times } of listCpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busy, total: busy + idle };
}
