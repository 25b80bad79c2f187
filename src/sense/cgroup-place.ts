/**
 * Locates the cgroup of this process in the file system: version 2 or 1, inside a container or not. Reads only
 * /proc/self/cgroup and /proc/self/mountinfo.
 */
import { join } from 'node:path';
import { readProcFile } from './proc-file.js';

/** One cgroup hierarchy as this process sees it. */
export interface CgroupPlace {
  /** Directory of the topmost visible cgroup: the container's own, or the root. */
  readonly top: string;
  /** Path components from there down to the cgroup of this process; empty if it is the topmost one. */
  readonly levels: readonly string[];
}

/** Where CPU time is counted and where it is limited: one place in version 2, possibly two in version 1. */
export type CgroupPlaces =
  | { readonly version: 2; readonly place: CgroupPlace }
  | { readonly version: 1; readonly usage: CgroupPlace; readonly limit: CgroupPlace | undefined };

/**
 * Finds the cgroup places. `procDir` and `rootDir` are `/proc` and `/` except in tests. If both versions are mounted,
 * version 1 wins as soon as it has the cpuacct controller: a controller belongs to only one version, and `0::/` is
 * listed in either case. Throws if neither version counts CPU time.
 */
export function findCgroupPlaces(procDir: string, rootDir: string): CgroupPlaces {
  const memberships = parseMemberships(readProcFile(join(procDir, 'self/cgroup')));
  const mounts = parseMounts(readProcFile(join(procDir, 'self/mountinfo')));
  const usage = placeOf('cpuacct', memberships, mounts, rootDir);
  if (usage !== undefined) {
    return { version: 1, usage, limit: placeOf('cpu', memberships, mounts, rootDir) };
  }
  const place = placeOf('', memberships, mounts, rootDir);
  if (place === undefined) throw new Error('this process has no cgroup that counts cpu time');
  return { version: 2, place };
}

interface Mount {
  readonly root: string;
  readonly point: string;
  /** `['']` for version 2, whose single hierarchy has all controllers. */
  readonly controllers: readonly string[];
}

/** Lines of `hierarchy:controllers:path`; version 2 has an empty controller list. */
function parseMemberships(text: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    for (const controller of match?.[1]?.split(',') ?? []) paths.set(controller, match?.[2] ?? '/');
  }
  return paths;
}

/** Lines of `id parent device root point options [optional …] - type source options`. */
function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root, point] = left.split(' ');
    const [type, , options = ''] = right.split(' ');
    if (root === undefined || point === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return [];
    const controllers = type === 'cgroup2' ? [''] : options.split(',');
    return [{ root: unescapePath(root), point: unescapePath(point), controllers }];
  });
}

/** The kernel escapes blanks in paths as a backslash and three octal digits. */
function unescapePath(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function placeOf(
  controller: string,
  memberships: ReadonlyMap<string, string>,
  mounts: readonly Mount[],
  rootDir: string,
): CgroupPlace | undefined {
  const path = memberships.get(controller);
  const mount = mounts.find((one) => one.controllers.includes(controller));
  if (path === undefined || mount === undefined) return undefined;
  return { top: join(rootDir, mount.point), levels: levelsBelow(mount.root, path) };
}

/** A path outside the mounted subtree (a container without its own cgroup namespace) maps to the mount point. */
function levelsBelow(root: string, path: string): readonly string[] {
  const levels = path.split('/').filter((level) => level !== '');
  const above = root.split('/').filter((level) => level !== '');
  const isInside = above.every((level, index) => levels[index] === level) && !levels.includes('..');
  return isInside ? levels.slice(above.length) : [];
}
