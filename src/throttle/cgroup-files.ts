/**
 * The files of the cgroup hierarchies: where they are mounted, which cgroup a process is in, and the reads and writes
 * that the two versions share. It keeps nothing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../os/errors.js';
import { tryReadText } from '../os/try-read.js';

/** Reads and changes cgroups. What cannot be done throws. */
export interface CgroupFiles {
  /** Text of a file; `undefined` when it cannot be read. */
  read(path: string): string | undefined;
  write(path: string, text: string): void;
  exists(path: string): boolean;
  /** Makes a cgroup; one that is there already is good. */
  make(directory: string): void;
  remove(directory: string): void;
  /** Whether a process of its own can be put into a cgroup: the reason why not. */
  tryMember(directory: string): string | undefined;
}

/** The real ones. */
export function createCgroupFiles(): CgroupFiles {
  return {
    read: tryReadText,
    write: (path, text) => writeFileSync(path, text),
    exists: existsSync,
    make: (directory) => {
      if (!existsSync(directory)) mkdirSync(directory);
    },
    remove: rmdirSync,
    tryMember,
  };
}

/** Where a hierarchy is mounted. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Mount point, and the path in the hierarchy that is mounted there. */
  readonly point: string;
  readonly root: string;
}

/** The hierarchy with the cpu controller of version 1, or that of version 2; `undefined` when it is not mounted. */
export function findHierarchy(files: CgroupFiles, version: 1 | 2): Hierarchy | undefined {
  for (const line of files.read('/proc/self/mountinfo')?.split('\n') ?? []) {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root = '/', point = ''] = left.split(' ');
    const [type, , options = ''] = right.split(' ');
    const fits = version === 2 ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('cpu');
    if (fits) return { version, point, root };
  }
  return undefined;
}

/** Directory of the cgroup of a process; throws when it cannot be seen from here. */
export function findGroup(files: CgroupFiles, { version, point, root }: Hierarchy, pid: number | 'self'): string {
  for (const line of files.read(`/proc/${pid}/cgroup`)?.split('\n') ?? []) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (version === 2 ? controllers !== '' : !controllers.split(',').includes('cpu')) continue;
    const below = root === '/' ? path : path.startsWith(root) ? path.slice(root.length) : '/..';
    if (below.split('/').includes('..')) throw new Error('its cgroup lies outside of what can be seen from here');
    return below === '/' || below === '' ? point : `${point}${below}`;
  }
  throw new Error('it has no cgroup that can be read');
}

/** Pids in a cgroup; empty when it is gone. */
export function listGroupProcesses(files: CgroupFiles, directory: string): readonly number[] {
  const text = files.read(`${directory}/cgroup.procs`) ?? '';
  return text.split('\n').filter(Boolean).map(Number);
}

/** Puts processes into a cgroup; one that has ended meanwhile is left out. */
export function moveInto(files: CgroupFiles, directory: string, pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      files.write(`${directory}/cgroup.procs`, String(pid));
    } catch (error) {
      if (errorCode(error) !== 'ESRCH') throw error;
    }
  }
}

/** More rounds than a program can fork away from: each takes all that are there. */
const ROUNDS_MAX = 20;

/**
 * Empties a cgroup and removes it: each process goes back where it was, one that was forked meanwhile where the first
 * one was. A cgroup that is gone takes its processes to the nearest one above it. Harmless when there is nothing.
 */
export function dissolve(files: CgroupFiles, directory: string, homes: ReadonlyMap<number, string>): void {
  const [first] = homes.values();
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const members = listGroupProcesses(files, directory);
    if (members.length === 0) break;
    for (const pid of members) moveInto(files, nearest(files, homes.get(pid) ?? first ?? dirname(directory)), [pid]);
  }
  if (files.exists(directory)) files.remove(directory);
}

function nearest(files: CgroupFiles, directory: string): string {
  return files.exists(directory) || dirname(directory) === directory ? directory : nearest(files, dirname(directory));
}

/** A name for the cgroup of a target: letters, digits, dots and dashes. */
export function nameGroup(tag: string, target: string): string {
  return `tritmesh-${tag}-${target}`.replaceAll(/[^A-Za-z0-9.-]/g, '-');
}

/** A shell of its own goes in and out again with its end. */
function tryMember(directory: string): string | undefined {
  const { status, stderr } = spawnSync('sh', ['-c', 'echo $$ >"$1/cgroup.procs"', 'sh', directory], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return status === 0 ? undefined : `no process can be put into ${directory}: ${(stderr ?? '').trim().slice(0, 100)}`;
}
