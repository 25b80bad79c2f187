/**
 * Reads the memory usage of a Linux machine from /proc/meminfo. The file cache counts as available.
 */
import { join } from 'node:path';
import { readProcFile } from './proc-file.js';

/** Total memory of the machine, and the share of it in use, 0..100. */
export interface ProcessMemory {
  readonly memoryPercent: number;
  readonly memoryBytes: number;
}

/** Reads the memory usage; throws if the file is unreadable or incomplete. */
export function readProcessMemory(procDir: string): ProcessMemory {
  const meminfo = readProcFile(join(procDir, 'meminfo'));
  const total = readKilobytes(meminfo, 'MemTotal');
  // Kernels before 3.14 have no MemAvailable. MemFree leaves out the file cache: it is too low, never too high.
  const available = readKilobytes(meminfo, 'MemAvailable') ?? readKilobytes(meminfo, 'MemFree');
  if (total === undefined || total === 0 || available === undefined) {
    throw new Error('/proc/meminfo does not tell the memory');
  }
  return {
    memoryPercent: Math.min(100, Math.max(0, (100 * (total - available)) / total)),
    memoryBytes: total * 1024,
  };
}

function readKilobytes(meminfo: string, key: string): number | undefined {
  const text = new RegExp(`^${key}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1];
  return text === undefined ? undefined : Number(text);
}
