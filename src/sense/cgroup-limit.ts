/**
 * Finds the cgroup that limits this process: of its own cgroup and all visible ancestors, the one with the smallest
 * CPU quota. Reads the quota and usage files of cgroup versions 2 and 1.
 */
import { join } from 'node:path';
import type { CgroupPlace, CgroupPlaces } from './cgroup-place.js';
import { tryReadProcFile } from './proc-file.js';

/** The cgroup whose CPU usage counts. */
export interface CgroupLimit {
  /** Directory of the files that count its CPU time. */
  readonly directory: string;
  /** Number of CPUs that its quota allows; `Infinity` without a quota. */
  readonly cpus: number;
  /** CPU time used since the cgroup was created, in seconds. */
  readonly usageS: number;
}

/**
 * Finds the limiting cgroup. Without any quota this is the topmost visible one: the container or, outside of a
 * container, the whole machine. Throws if its CPU usage cannot be read.
 */
export function findCgroupLimit(places: CgroupPlaces): CgroupLimit {
  const limit = places.version === 2 ? places.place : (places.limit ?? places.usage);
  const readQuota = places.version === 2 ? readQuotaV2 : readQuotaV1;
  let least = { depth: 0, cpus: Infinity };
  for (let depth = 0; depth <= limit.levels.length; depth++) {
    const cpus = readQuota(directoryAt(limit, depth));
    if (cpus < least.cpus) least = { depth, cpus };
  }
  return { cpus: least.cpus, ...readUsage(places, limit, least.depth) };
}

function directoryAt(place: CgroupPlace, depth: number): string {
  return join(place.top, ...place.levels.slice(0, depth));
}

/** `max 100000` or `50000 100000`: microseconds of CPU time, and of the period in which they may be used. */
function readQuotaV2(directory: string): number {
  const [quota, period] = tryReadProcFile(join(directory, 'cpu.max'))?.trim().split(' ').map(Number) ?? [];
  return divideQuota(quota, period);
}

function readQuotaV1(directory: string): number {
  const quota = Number(tryReadProcFile(join(directory, 'cpu.cfs_quota_us')));
  const period = Number(tryReadProcFile(join(directory, 'cpu.cfs_period_us')));
  return divideQuota(quota, period);
}

/** `max`, -1 and a missing file all mean that there is no limit. */
function divideQuota(quota = Number.NaN, period = Number.NaN): number {
  return quota > 0 && period > 0 ? quota / period : Infinity;
}

function readUsage(places: CgroupPlaces, limit: CgroupPlace, depth: number): { directory: string; usageS: number } {
  for (const directory of usageDirectories(places, limit, depth)) {
    const usageS = places.version === 2 ? readUsageV2(directory) : readUsageV1(directory);
    if (Number.isFinite(usageS)) return { directory, usageS };
  }
  throw new Error(`cannot read the cpu time of the cgroup ${directoryAt(limit, depth)}`);
}

/** Version 1 may limit in one hierarchy and count in another, in which the same cgroup need not exist. */
function usageDirectories(places: CgroupPlaces, limit: CgroupPlace, depth: number): readonly string[] {
  if (places.version === 2) return [directoryAt(limit, depth)];
  const twin = join(places.usage.top, ...limit.levels.slice(0, depth));
  return [twin, directoryAt(places.usage, places.usage.levels.length), places.usage.top];
}

function readUsageV2(directory: string): number {
  const text = /^usage_usec (\d+)$/m.exec(tryReadProcFile(join(directory, 'cpu.stat')) ?? '')?.[1];
  return text === undefined ? Number.NaN : Number(text) / 1e6;
}

function readUsageV1(directory: string): number {
  const text = tryReadProcFile(join(directory, 'cpuacct.usage'));
  return text === undefined ? Number.NaN : Number(text) / 1e9;
}
