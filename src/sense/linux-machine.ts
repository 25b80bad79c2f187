/**
 * Samples a Linux machine through /proc: four or five files, 0.1 ms in total. It never estimates missing numbers.
 */
import { join } from 'node:path';
import { defer, of } from 'rxjs';
import { shareBusy, type CpuTimes } from './cpu-times.js';
import type { SampleMachine } from './machine.js';
import { readProcFile, tryReadProcFile } from './proc-file.js';
import { readProcessMemory } from './proc-memory.js';

/** Samples the machine below one /proc directory. The first sample has no CPU share. Errors if a file is unreadable. */
export function createLinuxMachine(procDir: string, cpus: number): SampleMachine {
  let before: CpuTimes | undefined;
  return (now) =>
    defer(() => {
      const stat = readProcFile(join(procDir, 'stat'));
      const times = parseCpuTimes(stat);
      const cpuPercent = shareBusy(before, times);
      before = times;
      return of({
        now,
        cpus,
        cpuPercent,
        ...readProcessMemory(procDir),
        psiPercent: parsePressure(tryReadProcFile(join(procDir, 'pressure/cpu'))),
        loadAverage1: parseLoadAverage(readProcFile(join(procDir, 'loadavg'))),
        activeTasks: parseActiveTasks(stat),
      });
    });
}

/** Ticks of all cores together. Waiting for a disk is idle time; guest time is included in user time already. */
function parseCpuTimes(stat: string): CpuTimes {
  const line = /^cpu +(.*)$/m.exec(stat)?.[1];
  const ticks = line?.trim().split(/ +/).slice(0, 8).map(Number) ?? [];
  const total = ticks.reduce((sum, one) => sum + one, 0);
  if (ticks.length < 4 || !Number.isFinite(total)) throw new Error('/proc/stat has no cpu line that can be read');
  return { busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0), total };
}

/**
 * The tasks that the kernel's load average counts, running or waiting for a disk, from the same snapshot of the file.
 * The thread that reads the file is always among them and is subtracted; the agent's other threads are asleep.
 */
function parseActiveTasks(stat: string): number {
  const running = Number(/^procs_running (\d+)$/m.exec(stat)?.[1]);
  const blocked = Number(/^procs_blocked (\d+)$/m.exec(stat)?.[1]);
  if (!Number.isFinite(running + blocked)) throw new Error('/proc/stat does not count running and blocked tasks');
  return Math.max(0, running - 1) + blocked;
}

function parsePressure(pressure: string | undefined): number | undefined {
  const text = /^some avg10=(\d+(?:\.\d+)?) /m.exec(pressure ?? '')?.[1];
  return text === undefined ? undefined : Number(text);
}

function parseLoadAverage(loadavg: string): number {
  const text = /^(\d+(?:\.\d+)?) /.exec(loadavg)?.[1];
  if (text === undefined) throw new Error('/proc/loadavg does not begin with a number');
  return Number(text);
}
