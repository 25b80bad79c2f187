/**
 * Throttles with the CFS quota of cgroup version 1. The processes move into a new cgroup below their current one, so
 * all limits above still apply.
 */
import type { SavedThrottle } from '../core/processes/saved-throttle.js';
import { describeError } from '../os/errors.js';
import { dissolve, findGroup, findHierarchy, moveInto, nameGroup, type CgroupFiles } from './cgroup-files.js';
import { attempt, keepBefore, type LiveTarget, type Method } from './method.js';
import type { ThrottleOutcome, PreparedThrottle } from './throttle.js';

/** The kernel's default period, µs: the quota is refilled ten times a second. */
const PERIOD_US = 100_000;

/** Creates the method; `tag` becomes part of the names of its cgroups. */
export function createCgroupV1(files: CgroupFiles, tag: string): Method {
  const hierarchy = findHierarchy(files, 1);
  const absent = { ok: false, reason: 'no cgroup version 1 with the cpu controller is mounted' } as const;

  function probe(): string | undefined {
    if (hierarchy === undefined) return absent.reason;
    let place: string | undefined;
    try {
      place = `${findGroup(files, hierarchy, 'self')}/${nameGroup(tag, `probe-${process.pid}`)}`;
      files.make(place);
      limit(place, 50);
      return files.tryMember(place);
    } catch (error) {
      return describeError(error);
    } finally {
      const made = place;
      if (made !== undefined) attempt('', () => dissolve(files, made, new Map()));
    }
  }

  function limit(place: string, sharePercent: number): void {
    files.write(`${place}/cpu.cfs_period_us`, String(PERIOD_US));
    files.write(`${place}/cpu.cfs_quota_us`, String(Math.round((sharePercent / 100) * PERIOD_US)));
  }

  function prepare(target: LiveTarget, sharePercent: number, known: SavedThrottle | null): PreparedThrottle {
    if (hierarchy === undefined) return absent;
    try {
      const processes = keepBefore(target, known, (pid) => findGroup(files, hierarchy, pid));
      const place = known?.place ?? `${processes[0]?.before ?? hierarchy.point}/${nameGroup(tag, target.target)}`;
      const record = { target: target.target, method: 'cgroup-v1', sharePercent, place, limit: '', processes } as const;
      return { ok: true, record };
    } catch (error) {
      return { ok: false, reason: describeError(error) };
    }
  }

  function set(record: SavedThrottle): ThrottleOutcome {
    const { place, sharePercent, processes } = record;
    return attempt(`the quota could not be set in ${place}`, () => {
      files.make(place);
      limit(place, sharePercent);
      moveInto(
        files,
        place,
        processes.map(({ pid }) => pid),
      );
    });
  }

  function undo({ place, processes }: SavedThrottle): ThrottleOutcome {
    return attempt(`${place} could not be dissolved`, () => {
      dissolve(files, place, new Map(processes.map(({ pid, before }) => [pid, before])));
    });
  }

  return { method: 'cgroup-v1', probe, prepare, set, undo, close: () => undefined };
}
