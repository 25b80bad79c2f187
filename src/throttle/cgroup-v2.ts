/**
 * Throttles with `cpu.max` of cgroup version 2. A cgroup that contains only the target is limited in place; otherwise
 * the processes move into a new cgroup next to theirs. It never enables a controller: the hierarchy belongs to
 * others.
 */
import { dirname } from 'node:path';
import type { SavedThrottle } from '../core/processes/saved-throttle.js';
import { describeError } from '../os/errors.js';
import {
  dissolve,
  findGroup,
  findHierarchy,
  listGroupProcesses,
  moveInto,
  nameGroup,
  type CgroupFiles,
  type Hierarchy,
} from './cgroup-files.js';
import { attempt, keepBefore, type LiveTarget, type Method } from './method.js';
import type { ThrottleOutcome, PreparedThrottle } from './throttle.js';

/** The kernel's default period, µs. */
const PERIOD_US = 100_000;
const NO_CONTROLLER = 'the cpu controller of cgroup version 2 is not on where it could be used';

/** Creates the method; `tag` becomes part of the names of its cgroups. Its calls report failures as a reason. */
export function createCgroupV2(files: CgroupFiles, tag: string): Method {
  const hierarchy = findHierarchy(files, 2);
  const absent = { ok: false, reason: 'cgroup version 2 is not mounted' } as const;

  function probe(): string | undefined {
    if (hierarchy === undefined) return absent.reason;
    let place: string | undefined;
    try {
      place = findPlace(files, hierarchy, findGroup(files, hierarchy, 'self'), nameGroup(tag, `probe-${process.pid}`));
      if (place === undefined) return NO_CONTROLLER;
      files.make(place);
      files.write(`${place}/cpu.max`, formatLimit(50));
      return files.tryMember(place);
    } catch (error) {
      return describeError(error);
    } finally {
      const made = place;
      if (made !== undefined) attempt('', () => dissolve(files, made, new Map()));
    }
  }

  function prepare(target: LiveTarget, sharePercent: number, known: SavedThrottle | null): PreparedThrottle {
    if (hierarchy === undefined) return absent;
    try {
      const processes = keepBefore(target, known, (pid) => findGroup(files, hierarchy, pid));
      const spot = known ?? findSpot(hierarchy, target, processes[0]?.before ?? hierarchy.point, sharePercent);
      const { place, limit } = spot;
      return {
        ok: true,
        record: { target: target.target, method: 'cgroup-v2', sharePercent, place, limit, processes },
      };
    } catch (error) {
      return { ok: false, reason: describeError(error) };
    }
  }

  /** Finds where to set the limit, and the limit that is there now; throws with the reason if there is none. */
  function findSpot(
    hierarchy: Hierarchy,
    target: LiveTarget,
    group: string,
    sharePercent: number,
  ): Pick<SavedThrottle, 'place' | 'limit'> {
    const own = new Set(target.processes.map(({ pid }) => pid));
    const limit = files.read(`${group}/cpu.max`)?.trim() ?? '';
    const alone = limit !== '' && listGroupProcesses(files, group).every((pid) => own.has(pid));
    if (alone && shareOf(limit) <= sharePercent)
      throw new Error(`its cgroup is limited to ${shareOf(limit)} % already`);
    if (alone) return { place: group, limit };
    const place = findPlace(files, hierarchy, group, nameGroup(tag, target.target));
    if (place === undefined) throw new Error(NO_CONTROLLER);
    return { place, limit: '' };
  }

  function set({ place, limit, sharePercent, processes }: SavedThrottle): ThrottleOutcome {
    return attempt(`cpu.max could not be set in ${place}`, () => {
      if (limit === '') files.make(place);
      files.write(`${place}/cpu.max`, formatLimit(sharePercent));
      const pids = processes.map(({ pid }) => pid);
      if (limit === '') moveInto(files, place, pids);
    });
  }

  function undo({ place, limit, processes }: SavedThrottle): ThrottleOutcome {
    return attempt(`${place} could not be put back`, () => {
      if (limit === '') dissolve(files, place, new Map(processes.map(({ pid, before }) => [pid, before])));
      else if (files.exists(place)) files.write(`${place}/cpu.max`, limit);
    });
  }

  return { method: 'cgroup-v2', probe, prepare, set, undo, close: () => undefined };
}

/**
 * The path of a new cgroup next to the given one, where the limits above still apply, or else at the top of the
 * visible hierarchy. Children have `cpu.max` only if their parent delegates the cpu controller to them.
 */
function findPlace(files: CgroupFiles, { point }: Hierarchy, group: string, name: string): string | undefined {
  const parents = group === point ? [point] : [dirname(group), point];
  const parent = parents.find((one) =>
    (files.read(`${one}/cgroup.subtree_control`) ?? '').trim().split(' ').includes('cpu'),
  );
  return parent === undefined ? undefined : `${parent}/${name}`;
}

function formatLimit(sharePercent: number): string {
  return `${Math.round((sharePercent / 100) * PERIOD_US)} ${PERIOD_US}`;
}

/** Converts `max 100000` or `50000 100000` to a share of one core, in percent. */
function shareOf(limit: string): number {
  const [quota, period] = limit.split(' ').map(Number);
  return quota === undefined || Number.isNaN(quota) ? Infinity : (100 * quota) / (period ?? PERIOD_US);
}
