/**
 * Finds named semaphores and memory that a tree shares with other processes: the restored copy would have its own,
 * with nobody at the other end. The maps of other processes are read only when the tree has memory that can be
 * shared.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { readProc } from '../os/proc-files.js';
import { type ProcStat } from '../os/proc-stat.js';

/** Returns the obstacles. `entries` are all processes, `tree` those that are to move. */
export function findSharedObstacles(tree: readonly ProcStat[], entries: readonly ProcStat[]): readonly string[] {
  const obstacles = new Set<string>();
  const shared = new Set<string>();
  for (const { pid, name } of tree) {
    const mappings = listShared(pid);
    const names = mappings.some(({ path }) => path.startsWith(PLACE)) ? readNames(pid) : NO_NAMES;
    for (const { inode, key, path } of mappings) {
      shared.add(key);
      const isOfPlace = path.startsWith(PLACE);
      const found = isOfPlace ? names.get(inode) : undefined;
      if (found?.startsWith(SEMAPHORE) === true)
        obstacles.add(`${name} (${pid}) uses the named semaphore /${found.slice(SEMAPHORE.length)}`);
      else if (found !== undefined && path.endsWith(' (deleted)'))
        obstacles.add(`${name} (${pid}) has memory mapped that was given another name since: ${PLACE}${found}`);
    }
  }
  if (shared.size === 0) return [];
  const inside = new Set(tree.map(({ pid }) => pid));
  for (const { pid, name } of entries) {
    if (inside.has(pid)) continue;
    const common = listShared(pid).find(({ key }) => shared.has(key));
    if (common !== undefined) obstacles.add(`it shares memory with ${name} (${pid}): ${common.path}`);
  }
  return [...obstacles];
}

const PLACE = '/dev/shm/';
const SEMAPHORE = 'sem.';
const NO_NAMES: ReadonlyMap<string, string> = new Map();

/**
 * Current names of shared memory files, by inode. The C library creates a semaphore under a temporary name and
 * removes that name, so its mapping appears as deleted.
 */
function readNames(pid: number): ReadonlyMap<string, string> {
  const place = `/proc/${pid}/root${PLACE}`;
  try {
    const names = readdirSync(place).map(
      (name) => [name, lstatSync(`${place}${name}`, { throwIfNoEntry: false })] as const,
    );
    return new Map(names.flatMap(([name, stats]) => (stats === undefined ? [] : [[String(stats.ino), name] as const])));
  } catch {
    return NO_NAMES;
  }
}

interface SharedMapping {
  readonly inode: string;
  /** Device and inode. */
  readonly key: string;
  readonly path: string;
}

/**
 * Shared mappings of memory: named, created with memfd_create, or inherited. Files on disk are left out, because
 * other processes see them anyway; System V segments are reported by memory.ts.
 */
function listShared(pid: number): readonly SharedMapping[] {
  const lines = readProc(pid, 'maps').matchAll(
    /^\S+ ...s \S+ (\S+) (\d+) +(\/dev\/shm\/.*|\/memfd:.*|\/dev\/zero \(deleted\))$/gm,
  );
  return [...lines].map(([, device = '', inode = '', path = '']) => ({ inode, key: `${device} ${inode}`, path }));
}
