/**
 * Reads the process trees of this machine as far as freezing needs them: all processes in one pass, their
 * descendants, and their pids in their own pid namespace. A process that ends meanwhile is left out.
 */
import { listPids, readPidsWithin, readProcLink } from '../os/proc-files.js';
import { tryReadProcStat, type ProcStat } from '../os/proc-stat.js';
import { tryListNames } from '../os/try-read.js';

/** Reads all processes. Throws when there is no readable /proc. */
export function listEntries(): readonly ProcStat[] {
  return listPids().flatMap((pid) => tryReadProcStat(pid) ?? []);
}

/** Returns a process and all its descendants, parents first; empty when it is not among the entries. */
export function listTree(root: number, entries: readonly ProcStat[]): readonly ProcStat[] {
  const byParent = groupByParent(entries);
  const tree = entries.filter(({ pid }) => pid === root);
  for (const one of tree) tree.push(...(byParent.get(one.pid) ?? []).filter(({ pid }) => pid !== one.pid));
  return tree;
}

/** Returns the pid in the innermost pid namespace of a process, and how many namespaces deep that is. */
export function readInnerPid(pid: number): { readonly pid: number; readonly depth: number } {
  const pids = readPidsWithin(pid);
  return { pid: pids.at(-1) ?? pid, depth: pids.length };
}

/** Returns the thread ids of a process, its own pid first. */
export function listThreads(pid: number): readonly number[] {
  const threads = tryListNames(`/proc/${pid}/task`).map(Number);
  return threads.length === 0 ? [pid] : threads;
}

/** Returns the links in /proc/PID/fd by descriptor; empty when they cannot be read. */
export function listDescriptors(pid: number): ReadonlyMap<number, string> {
  const links = tryListNames(`/proc/${pid}/fd`).map((name) => [Number(name), readProcLink(pid, `fd/${name}`)] as const);
  return new Map(links.filter(([, target]) => target !== ''));
}

function groupByParent(entries: readonly ProcStat[]): ReadonlyMap<number, readonly ProcStat[]> {
  const groups = new Map<number, ProcStat[]>();
  for (const one of entries) {
    const group = groups.get(one.parent);
    if (group === undefined) groups.set(one.parent, [one]);
    else group.push(one);
  }
  return groups;
}
