/**
 * Reads what the tasks of a tree have mapped: programs and libraries with their build ids, other files, and mappings
 * that criu cannot dump. Memory sizes are totals that the kernel computes.
 */
import { statSync } from 'node:fs';
import { readProc } from '../os/proc-files.js';
import { type ProcStat } from '../os/proc-stat.js';
import { readBuildId } from './build-id.js';
import type { MappedFile } from '../protocol/image-facts.js';

/** What a tree has mapped. */
export interface MappedMemory {
  readonly obstacles: readonly string[];
  readonly mapped: readonly MappedFile[];
}

/**
 * Reads the mappings of a tree. `root`: prefix for reading its paths when it is in another mount namespace; else
 * empty.
 */
export function readMappedMemory(tree: readonly ProcStat[], root: string): MappedMemory {
  const obstacles = new Set<string>();
  const paths = new Set<string>();
  for (const { pid, name } of tree) {
    for (const path of listMappings(pid)) {
      if (path.startsWith('/SYSV')) obstacles.add(`${name} (${pid}) uses System V shared memory`);
      else if (path.startsWith('/dev/') && !/^\/dev\/(?:zero|shm\/)/.test(path))
        obstacles.add(`${name} (${pid}) has the device ${path} mapped`);
      else if (path.startsWith('anon_inode:[io_uring]')) obstacles.add(`${name} (${pid}) uses io_uring`);
      else if (path.startsWith('/') && !path.endsWith(' (deleted)')) paths.add(path);
    }
  }
  return {
    obstacles: [...obstacles],
    mapped: [...paths].flatMap((path) => describeMapped(path, root) ?? []),
  };
}

/**
 * Anonymous, swapped and shared memory of a tree, bytes: approximately the size of its image. The kernel walks every
 * page for it, some 20 ms for a GiB.
 */
export function measureTreeMemory(tree: readonly ProcStat[]): number {
  return tree.reduce((sum, { pid }) => sum + measureMemory(pid), 0);
}

/** The names of mappings; the kernel escapes a line feed in a name as `\012`. */
function listMappings(pid: number): readonly string[] {
  const names = [...readProc(pid, 'maps').matchAll(/^\S+ \S+ \S+ \S+ \d+ +(\/.*|anon_inode.*)$/gm)];
  return names.map(([, name = '']) => name.replaceAll(String.raw`\012`, '\n'));
}

function describeMapped(path: string, root: string): MappedFile | undefined {
  const stats = statSync(`${root}${path}`, { throwIfNoEntry: false });
  return stats?.isFile() === true ? { path, build_id: readBuildId(`${root}${path}`), size: stats.size } : undefined;
}

function measureMemory(pid: number): number {
  const text = readProc(pid, 'smaps_rollup');
  const kib = ['Anonymous', 'Swap', 'Pss_Shmem'].map((key) =>
    Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0),
  );
  return kib.reduce((sum, one) => sum + one, 0) * 1024;
}
