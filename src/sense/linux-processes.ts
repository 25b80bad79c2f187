/**
 * Lists the processes of a Linux machine with the share of a core that each of them has used since the previous scan.
 * It scans only on request and keeps one scan for the next comparison.
 */
import { join } from 'node:path';
import { defer, of } from 'rxjs';
import { parseProcStat } from '../os/proc-stat.js';
import { readProcessDetails } from './heavy-facts.js';
import { createPortReader } from './known-ports.js';
import type { SampleProcesses } from './machine.js';
import { tryReadRecord } from './proc-file.js';
import { readProcessMemory } from './proc-memory.js';
import { scanProcesses, type KernelUnits, type ProcessCount } from './process-scan.js';
import type { ProcessSample } from './sense.js';

interface Scan {
  readonly now: number;
  readonly processes: ReadonlyMap<number, ProcessCount>;
}

/** Lists the processes below one /proc directory. The first list is empty, since shares need two scans. */
export function createLinuxProcesses(procDir: string, units: KernelUnits): SampleProcesses {
  let before: Scan | undefined;
  const toBootS = createBootTime(procDir, units);
  const readPorts = createPortReader(procDir);
  return (now) =>
    defer(() => {
      const after = { now, processes: scanProcesses(procDir, units) };
      const last = before;
      before = after;
      const bootS = toBootS(after);
      if (last === undefined || now <= last.now) return of([]);
      const { memoryBytes } = readProcessMemory(procDir);
      const facts = { ...units, memoryBytes, bootS };
      const samples = compareScans(last, after, facts);
      return of(
        samples.map((sample) =>
          isLight(sample)
            ? sample
            : { ...sample, ...readProcessDetails(procDir, sample.pid), ports: readPorts(sample, now) },
        ),
      );
    });
}

interface Facts extends KernelUnits {
  readonly memoryBytes: number;
  /** Seconds since the machine booted, on the clock on which start times are counted. */
  readonly bootS: number;
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
      ageS: Math.max(0, facts.bootS - process.startTicks / facts.ticksPerS),
      start: String(process.startTicks),
      session: process.session,
      terminal: process.terminal,
      kernelThread: process.kernelThread,
    });
  }
  return samples;
}

/** Percent of a core and of the memory. A process below both is never heavy (core/processes/scum.ts). */
const HEAVY_PERCENT = 5;

function isLight({ cpuPercent, memoryPercent }: ProcessSample): boolean {
  return cpuPercent < HEAVY_PERCENT && memoryPercent < HEAVY_PERCENT;
}

/**
 * Estimates the uptime of the machine from process start times alone: it is at least the start time of the youngest
 * process seen so far. The first estimate is close, because this process itself has only just started. /proc/uptime
 * is not used: under LXCFS it is that of the container, may be unreadable, and may jump.
 */
function createBootTime(procDir: string, { ticksPerS }: KernelUnits): (scan: Scan) => number {
  /** Largest known difference between the uptime of the kernel and the clock of the node, in seconds. */
  let leadS = Number.NEGATIVE_INFINITY;
  return ({ now, processes }) => {
    let youngest = readOwnStart(procDir);
    for (const { startTicks } of processes.values()) youngest = Math.max(youngest, startTicks);
    leadS = Math.max(leadS, youngest / ticksPerS - now / 1000);
    return leadS + now / 1000;
  };
}

/** Start time of this process in ticks; 0 if it cannot be read. */
function readOwnStart(procDir: string): number {
  return Number(parseProcStat(tryReadRecord(join(procDir, 'self/stat')) ?? '')?.startTicks ?? 0);
}
