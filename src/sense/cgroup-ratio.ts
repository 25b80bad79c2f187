/**
 * The `cgroup` ratio: the cpu time that this container or slice used, against the quota that limits it. In a container
 * the load average is the host's and lies; this does not. It reads counters and never writes a limit.
 */
import { defer, EMPTY, of } from 'rxjs';
import { findCgroupLimit } from './cgroup-limit.js';
import { findCgroupPlaces } from './cgroup-place.js';
import type { RatioOf } from './machine.js';

/** Where the files are. */
export interface CgroupDirs {
  readonly procDir: string;
  /** What the mount points are below: `/`, but for tests. */
  readonly rootDir: string;
}

interface Usage {
  readonly now: number;
  readonly directory: string;
  readonly seconds: number;
}

/**
 * Cpus used since the look before, per cpu of the quota; per cpu of the machine where there is no quota or a larger
 * one; per `cpus` when given. The quota is read anew at each look, since it can change at any time. The first look
 * gives nothing, nor does the first after another level became the limiting one.
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
