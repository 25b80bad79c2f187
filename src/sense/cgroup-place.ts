/**
 * Finds where this process's cgroup lies in the file system: version 2 or 1, in a container or not. It reads
 * /proc/self/cgroup and /proc/self/mountinfo and touches nothing else.
 */
import { join } from 'node:path';
import { readProcFile } from './proc-file.js';

/** One cgroup hierarchy as this process sees it. */
export interface CgroupPlace {
  /** Directory of the topmost cgroup that can be seen: the container's own, or the root. */
  readonly top: string;
  /** The levels below it down to the cgroup of this process; empty when it is the topmost. */
  readonly levels: readonly string[];
}

/** Where the cpu time is counted and where it is limited: one place in version 2, maybe two in version 1. */
export type CgroupPlaces =
  | { readonly version: 2; readonly place: CgroupPlace }
  | { readonly version: 1; readonly usage: CgroupPlace; readonly limit: CgroupPlace | undefined };

/**
 * Finds the places below `procDir` and `rootDir` (`/`, but for tests). Version 1 wins where both are mounted, since
 * the cpu controller can only be in one of them and a leftover `0::/` is no sign of it. Throws when there is none.
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
  /** `''` for version 2, whose one hierarchy has all controllers. */
  readonly controllers: readonly string[];
}

/** `hierarchy:controllers:path`, one a line; the controllers of version 2 are the empty text. */
function parseMemberships(text: string): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    for (const controller of match?.[1]?.split(',') ?? []) paths.set(controller, match?.[2] ?? '/');
  }
  return paths;
}

/** `id parent device root point options [optional …] - type source options`, one a line. */
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

/** The kernel writes blanks in paths as three octal digits. */
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

/**
 * A path outside of what is mounted (a container without a cgroup namespace of its own) stands for the mount itself.
 */
function levelsBelow(root: string, path: string): readonly string[] {
  const levels = path.split('/').filter((level) => level !== '');
  const above = root.split('/').filter((level) => level !== '');
  const isInside = above.every((level, index) => levels[index] === level) && !levels.includes('..');
  return isInside ? levels.slice(above.length) : [];
}
