/**
 * One look at the processes of this machine, as far as freezing needs it: parents, sessions, terminals, states, cpu times, and
 * what their own pid namespace calls them. A process that ends meanwhile is left out.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One process. */
export interface ProcEntry {
  readonly pid: number;
  readonly name: string;
  /** One letter: R, S, D, T (stopped), Z (zombie) … */
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  /** Device number of its terminal; 0: none. */
  readonly tty: number;
  readonly isKernel: boolean;
  /** Clock ticks of cpu, user and system, of it and of the children it waited for. */
  readonly cpuTicks: number;
  /** Clock ticks since boot. */
  readonly startTicks: string;
}

/** Ticks in a second: USER_HZ, which is 100 on every Linux that Node.js runs on. */
export const TICKS_PER_S = 100;

const PF_KTHREAD = 0x0020_0000;

/** Reads all processes. */
export function listEntries(): readonly ProcEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readEntry(Number(name)) ?? []);
}

/** Reads one process. */
export function readEntry(pid: number): ProcEntry | undefined {
  const text = readProc(pid, 'stat');
  const end = text.lastIndexOf(') ');
  if (end < 0) return undefined;
  const fields = text.slice(end + 2).split(' ');
  const number = (index: number): number => Number(fields[index]);
  return {
    pid,
    name: text.slice(text.indexOf('(') + 1, end),
    state: fields[0] ?? '',
    parent: number(1),
    session: number(3),
    tty: number(4),
    isKernel: (number(6) & PF_KTHREAD) !== 0,
    cpuTicks: number(11) + number(12) + number(13) + number(14),
    startTicks: fields[19] ?? '',
  };
}

/** A process and all its descendants, parents first; empty when it is not among the entries. */
export function listTree(root: number, entries: readonly ProcEntry[]): readonly ProcEntry[] {
  const byParent = groupByParent(entries);
  const tree = entries.filter(({ pid }) => pid === root);
  for (const one of tree) tree.push(...(byParent.get(one.pid) ?? []).filter(({ pid }) => pid !== one.pid));
  return tree;
}

/** The pid as the innermost of its pid namespaces counts, and how many namespaces deep it is. */
export function readInnerPid(pid: number): { readonly pid: number; readonly depth: number } {
  const pids = /^NSpid:\s*(.*)$/m.exec(readProc(pid, 'status'))?.[1]?.split(/\s+/) ?? [];
  return { pid: Number(pids.at(-1) ?? pid), depth: pids.length };
}

/** The threads of a process by number, its own first. */
export function listThreads(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [pid];
  }
}

/** Reads a file of /proc/PID; empty when it is gone or not ours to read. */
export function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** Reads a link of /proc/PID; empty when it is gone or not ours to read. */
export function readProcLink(pid: number, name: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return '';
  }
}

/** The links in /proc/PID/fd, by descriptor. */
export function listDescriptors(pid: number): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  try {
    for (const name of readdirSync(`/proc/${pid}/fd`)) {
      const target = readProcLink(pid, `fd/${name}`);
      if (target !== '') found.set(Number(name), target);
    }
  } catch {
    // It is gone, or not ours to read.
  }
  return found;
}

function groupByParent(entries: readonly ProcEntry[]): ReadonlyMap<number, readonly ProcEntry[]> {
  const groups = new Map<number, ProcEntry[]>();
  for (const one of entries) {
    const group = groups.get(one.parent);
    if (group === undefined) groups.set(one.parent, [one]);
    else group.push(one);
  }
  return groups;
}
