/**
 * Lists the processes of a Linux machine with the share of a core that each used since the look before. It looks when it
 * is told to and keeps one scan, to tell the next from.
 */
import { join } from 'node:path';
import { defer, of } from 'rxjs';
import { readHeavyFacts } from './heavy-facts.js';
import type { LookAtProcesses } from './machine.js';
import { readProcFile } from './proc-file.js';
import { readMemory } from './proc-memory.js';
import { scanProcesses, type KernelUnits, type ProcessCount } from './process-scan.js';
import type { ProcessSample } from './sense.js';

interface Scan {
  readonly now: number;
  readonly processes: ReadonlyMap<number, ProcessCount>;
}

/** Lists the processes below one /proc directory; the first look is empty. */
export function createLinuxProcesses(procDir: string, units: KernelUnits): LookAtProcesses {
  let before: Scan | undefined;
  return (now) =>
    defer(() => {
      const after = { now, processes: scanProcesses(procDir, units) };
      const last = before;
      before = after;
      if (last === undefined || now <= last.now) return of([]);
      const { memoryBytes } = readMemory(procDir);
      const facts = { ...units, memoryBytes, uptimeS: readUptime(procDir) };
      return of(compareScans(last, after, facts).map((sample) => addFacts(procDir, sample)));
    });
}

interface Facts extends KernelUnits {
  readonly memoryBytes: number;
  readonly uptimeS: number;
}

function compareScans(before: Scan, after: Scan, facts: Facts): readonly ProcessSample[] {
  const ticks = ((after.now - before.now) / 1000) * facts.ticksPerS;
  const samples: ProcessSample[] = [];
  for (const process of after.processes.values()) {
    const old = before.processes.get(process.pid);
    const ran = process.ownTicks - (old?.startTicks === process.startTicks ? old.ownTicks : 0);
    if (ran <= 0 && process.residentBytes <= 0) continue;
    samples.push({
      pid: process.pid,
      ppid: process.ppid,
      name: process.name,
      cpuPercent: (100 * Math.max(0, ran)) / ticks,
      memoryPercent: Math.min(100, (100 * process.residentBytes) / facts.memoryBytes),
      ageS: Math.max(0, facts.uptimeS - process.startTicks / facts.ticksPerS),
      start: String(process.startTicks),
      session: process.session,
      terminal: process.terminal,
      kernelThread: process.kernelThread,
    });
  }
  return samples;
}

/** Below both nothing is heavy (see core/scum.ts), and nobody asks for more. */
const HEAVY_PERCENT = 5;

function addFacts(procDir: string, sample: ProcessSample): ProcessSample {
  const isLight = sample.cpuPercent < HEAVY_PERCENT && sample.memoryPercent < HEAVY_PERCENT;
  return isLight ? sample : { ...sample, ...readHeavyFacts(procDir, sample.pid) };
}

/** Seconds since the machine started, on the clock that start times are counted on. */
function readUptime(procDir: string): number {
  const uptime = Number.parseFloat(readProcFile(join(procDir, 'uptime')));
  if (Number.isNaN(uptime)) throw new Error('/proc/uptime does not begin with a number');
  return uptime;
}
