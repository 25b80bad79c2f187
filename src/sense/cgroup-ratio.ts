/**
 * The `cgroup` ratio: the CPU time used by this container or slice relative to the quota that limits it. Inside a
 * container the load average is that of the host; this ratio is not. It reads counters and never writes a limit.
 */
import { defer, EMPTY, of } from 'rxjs';
import { findCgroupLimit } from './cgroup-limit.js';
import { findCgroupPlaces } from './cgroup-place.js';
import type { RatioOf } from './machine.js';

/** Root directories of the files to read. */
export interface CgroupDirs {
  readonly procDir: string;
  /** Prefix of all mount points: `/` except in tests. */
  readonly rootDir: string;
}

interface Usage {
  readonly now: number;
  readonly directory: string;
  readonly seconds: number;
}

/**
 * CPUs used since the previous sample, divided by `cpus` if given, otherwise by the quota or the CPUs of the machine,
 * whichever is smaller. The quota is read again for each sample, since it can change at any time. Emits nothing for
 * the first sample and for the first one after another level has become the limiting one.
 */
export function createCgroupRatio(dirs: CgroupDirs, cpus: number | undefined): RatioOf {
  let before: Usage | undefined;
  return (look) =>
    defer(() => {
      const limit = findCgroupLimit(findCgroupPlaces(dirs.procDir, dirs.rootDir));
      const after = { now: look.now, directory: limit.directory, seconds: limit.usageS };
      const used = before === undefined ? undefined : cpusUsed(before, after);
      before = after;
      if (used === undefined) return EMPTY;
      const shared = cpus ?? Math.min(limit.cpus, look.cpus);
      return of({ ratio: used / shared, cpus: shared });
    });
}

function cpusUsed(before: Usage, after: Usage): number | undefined {
  if (before.directory !== after.directory || after.now <= before.now) return undefined;
  return Math.max(0, (1000 * (after.seconds - before.seconds)) / (after.now - before.now));
}
