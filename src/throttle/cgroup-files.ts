/**
 * Access to the cgroup file systems: where they are mounted, which cgroup a process is in, and the reads and writes
 * that versions 1 and 2 share. It keeps no state.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../os/errors.js';
import { tryReadText } from '../os/try-read.js';

/** Reads and changes cgroups. Throws on failure unless stated otherwise. */
export interface CgroupFiles {
  /** Returns the text of a file; `undefined` if it cannot be read. */
  read(path: string): string | undefined;
  write(path: string, text: string): void;
  exists(path: string): boolean;
  /** Creates a cgroup unless it already exists. */
  make(directory: string): void;
  remove(directory: string): void;
  /** Tries to put a short-lived child process into a cgroup. Returns the reason if that fails. */
  tryMember(directory: string): string | undefined;
}

/** Creates the access to the real cgroup files of this machine. */
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

/** A mounted cgroup hierarchy. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** The mount point, and the path within the hierarchy that is mounted there. */
  readonly point: string;
  readonly root: string;
}

/** Finds the version 1 hierarchy with the cpu controller, or that of version 2; `undefined` if it is not mounted. */
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

/** Returns the directory of the cgroup of a process; throws if it is not visible from here. */
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

/** Returns the pids in a cgroup; empty if the cgroup does not exist. */
export function listGroupProcesses(files: CgroupFiles, directory: string): readonly number[] {
  const text = files.read(`${directory}/cgroup.procs`) ?? '';
  return text.split('\n').filter(Boolean).map(Number);
}

/** Moves processes into a cgroup. Processes that have ended meanwhile are skipped; any other failure throws. */
export function moveInto(files: CgroupFiles, directory: string, pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      files.write(`${directory}/cgroup.procs`, String(pid));
    } catch (error) {
      if (errorCode(error) !== 'ESRCH') throw error;
    }
  }
}

/** Maximum number of rounds. Each moves all processes present, so a forking program cannot outrun that many. */
const ROUNDS_MAX = 20;

/**
 * Empties a cgroup and removes it. Each process returns to its previous cgroup in `homes`; one forked meanwhile
 * follows the first of them. If the previous cgroup no longer exists, its nearest existing ancestor is used. Does
 * nothing if the cgroup does not exist; throws if it cannot be emptied or removed.
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

/** Returns a name for the cgroup of a target: letters, digits, dots and dashes. */
export function nameGroup(tag: string, target: string): string {
  return `tritmesh-${tag}-${target}`.replaceAll(/[^A-Za-z0-9.-]/g, '-');
}

/** The shell enters the cgroup and leaves it by exiting. */
function tryMember(directory: string): string | undefined {
  const { status, stderr } = spawnSync('sh', ['-c', 'echo $$ >"$1/cgroup.procs"', 'sh', directory], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return status === 0 ? undefined : `no process can be put into ${directory}: ${(stderr ?? '').trim().slice(0, 100)}`;
}
