/**
 * Lists the processes of a Linux machine with the share of a core that each used since the look before. It looks when
 * it is told to and keeps one scan, to tell the next from.
 */
import { join } from 'node:path';
import { defer, of } from 'rxjs';
import { parseProcStat } from '../os/proc-stat.js';
import { readProcessDetails } from './heavy-facts.js';
import type { SampleProcesses } from './machine.js';
import { tryReadRecord } from './proc-file.js';
import { readProcessMemory } from './proc-memory.js';
import { scanProcesses, type KernelUnits, type ProcessCount } from './process-scan.js';
import type { ProcessSample } from './sense.js';

interface Scan {
  readonly now: number;
  readonly processes: ReadonlyMap<number, ProcessCount>;
}

/** Lists the processes below one /proc directory; the first look is empty. */
export function createLinuxProcesses(procDir: string, units: KernelUnits): SampleProcesses {
  let before: Scan | undefined;
  const toBootS = createBootTime(procDir, units);
  return (now) =>
    defer(() => {
      const after = { now, processes: scanProcesses(procDir, units) };
      const last = before;
      before = after;
      const bootS = toBootS(after);
      if (last === undefined || now <= last.now) return of([]);
      const { memoryBytes } = readProcessMemory(procDir);
      const facts = { ...units, memoryBytes, bootS };
      return of(compareScans(last, after, facts).map((sample) => addFacts(procDir, sample)));
    });
}

interface Facts extends KernelUnits {
  readonly memoryBytes: number;
  /** Seconds since the machine started, on the clock that start times are counted on. */
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

/** Below both nothing is heavy (see core/scum.ts), and nobody asks for more. */
const HEAVY_PERCENT = 5;

function addFacts(procDir: string, sample: ProcessSample): ProcessSample {
  const isLight = sample.cpuPercent < HEAVY_PERCENT && sample.memoryPercent < HEAVY_PERCENT;
  return isLight ? sample : { ...sample, ...readProcessDetails(procDir, sample.pid) };
}

/**
 * Tells how long ago the machine started, from what the kernel says of its processes alone: the youngest process that
 * was ever seen was no younger then. This program's own start was a moment ago when it begins to look. /proc/uptime is
 * not asked: under LXCFS it is the container's own, may be unreadable, and may jump.
 */
function createBootTime(procDir: string, { ticksPerS }: KernelUnits): (scan: Scan) => number {
  /** The latest moment that is known on both clocks: the kernel's, in seconds, less the node's. */
  let leadS = Number.NEGATIVE_INFINITY;
  return ({ now, processes }) => {
    let youngest = readOwnStart(procDir);
    for (const { startTicks } of processes.values()) youngest = Math.max(youngest, startTicks);
    leadS = Math.max(leadS, youngest / ticksPerS - now / 1000);
    return leadS + now / 1000;
  };
}

/** In ticks; 0 when it cannot be read. */
function readOwnStart(procDir: string): number {
  return Number(parseProcStat(tryReadRecord(join(procDir, 'self/stat')) ?? '')?.startTicks ?? 0);
}
