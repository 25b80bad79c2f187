/**
 * Looks at a machine that has no /proc (macOS, BSD, Windows): what Node tells, and systeminformation for the memory,
 * since free memory alone counts the file cache as used. systeminformation is loaded only here.
 */
import { cpus as listCpus, loadavg } from 'node:os';
import { platform } from 'node:process';
import { defer, from, map } from 'rxjs';
import { shareBusy, type CpuTimes } from './cpu-times.js';
import type { SampleMachine } from './machine.js';

/** Looks at a machine without /proc. The first look has no cpu share. */
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
          // Node gives zeros on Windows, which has no load average.
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

/** Milliseconds of all cores together. */
function readCpuTimes(): CpuTimes {
  let busy = 0;
  let idle = 0;
  for (const { times } of listCpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busy, total: busy + idle };
}
