/**
 * A made-up hierarchy of cgroup version 2 with the kernel's rules that matter: controllers are handed on by the parent, a
 * group that hands them on holds no processes, and one that holds processes cannot be removed.
 */
import type { CgroupFiles } from '../../src/throttle/cgroup-files.js';

export const POINT = '/sys/fs/cgroup';

interface Group {
  readonly pids: Set<number>;
  limit: string;
  handsOn: string;
}

/** The files, and what they would have done. */
export interface MadeUpCgroups extends CgroupFiles {
  /** Adds a group below the mount point; `handsOn` are the controllers that its children have. */
  add(path: string, pids: readonly number[], handsOn?: string, limit?: string): void;
  groupOf(pid: number): string;
  limitOf(path: string): string | undefined;
  paths(): readonly string[];
}

export function createMadeUpCgroups(handsOn: string): MadeUpCgroups {
  const groups = new Map<string, Group>([[POINT, { pids: new Set(), limit: '', handsOn }]]);
  const find = (path: string): Group => {
    const group = groups.get(path);
    if (group === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return group;
  };
  const groupOf = (pid: number): string => [...groups].find(([, { pids }]) => pids.has(pid))?.[0] ?? POINT;
  const hasCpu = (path: string): boolean => find(path.slice(0, path.lastIndexOf('/'))).handsOn.includes('cpu');

  function readGroup(directory: string, name: string): string | undefined {
    const group = groups.get(directory);
    if (name === 'cgroup.procs') return group && [...group.pids].map((pid) => `${pid}\n`).join('');
    if (name === 'cgroup.subtree_control') return group?.handsOn;
    return name === 'cpu.max' && directory !== POINT && hasCpu(directory) ? group?.limit : undefined;
  }

  function read(path: string): string | undefined {
    if (path === '/proc/self/mountinfo') return `30 20 0:26 / ${POINT} rw,nosuid - cgroup2 cgroup2 rw\n`;
    const [, pid] = /^\/proc\/(\d+|self)\/cgroup$/.exec(path) ?? [];
    if (pid !== undefined) return `0::${groupOf(Number(pid)).slice(POINT.length) || '/'}\n`;
    const at = path.lastIndexOf('/');
    return readGroup(path.slice(0, at), path.slice(at + 1));
  }

  function move(directory: string, pid: number): void {
    const group = find(directory);
    if (directory !== POINT && group.handsOn !== '') throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' });
    for (const one of groups.values()) one.pids.delete(pid);
    group.pids.add(pid);
  }

  return {
    read,
    write: (path, text) => {
      const directory = path.slice(0, path.lastIndexOf('/'));
      if (path.endsWith('/cgroup.procs')) return move(directory, Number(text));
      if (!path.endsWith('/cpu.max') || !hasCpu(directory)) throw new Error(`EACCES: ${path}`);
      find(directory).limit = text;
    },
    exists: (path) => groups.has(path),
    make: (path) => {
      if (!groups.has(path)) groups.set(path, { pids: new Set(), limit: 'max 100000', handsOn: '' });
    },
    remove: (path) => {
      if (find(path).pids.size > 0) throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' });
      groups.delete(path);
    },
    tryMember: () => undefined,
    add: (path, pids, handsOn = '', limit = 'max 100000') => {
      groups.set(`${POINT}${path}`, { pids: new Set(pids), limit, handsOn });
    },
    groupOf,
    limitOf: (path) => groups.get(`${POINT}${path}`)?.limit,
    paths: () => [...groups.keys()].map((path) => path.slice(POINT.length)).toSorted(),
  };
}
