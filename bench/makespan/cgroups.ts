/** Machines made of cgroups (version 1) with CPU quotas, below one group that other programs cannot starve. */
import { existsSync, mkdirSync, rmdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scratch } from '../setup/scratch.js';
import type { Machine } from './jobs.js';

const ROOTS: readonly string[] = ['cpu', 'cpuacct'].map((controller) => `/sys/fs/cgroup/${controller}`);
const PERIOD_US = 100_000;
/** The most that there is: the machines get their quotas while other programs keep this one busy. */
const SHARES = 262_144;

/** How programs get into the machines. */
export interface Machines {
  /** A script that enters the machine of its first argument and becomes the program of the others. */
  readonly enter: string;
  /** The same for a command of the shell, as `ssh` takes it: GNU parallel writes `--` before it. */
  readonly login: string;
}

/** Why this computer cannot make machines; `undefined` if it can. */
export function findMachinesFault(): string | undefined {
  if (userInfo().uid !== 0) return 'root';
  return ROOTS.every((root) => existsSync(join(root, 'cgroup.procs')))
    ? undefined
    : `cgroup version 1 at ${ROOTS.join(' and ')}`;
}

/** Creates the groups, to be removed when the scratch is closed. */
export function createMachines(scratch: Scratch, machines: readonly Machine[]): Machines {
  const parents = ROOTS.map((root) => join(root, basename(scratch.directory)));
  for (const parent of parents) makeGroup(scratch, parent);
  writeFileSync(join(parents[0] ?? '', 'cpu.shares'), String(SHARES));
  for (const { name, cpus } of machines) {
    for (const parent of parents) makeGroup(scratch, join(parent, name));
    const directory = join(parents[0] ?? '', name);
    writeFileSync(join(directory, 'cpu.cfs_period_us'), String(PERIOD_US));
    writeFileSync(join(directory, 'cpu.cfs_quota_us'), String(Math.round(cpus * PERIOD_US)));
  }
  const filesOf = (machine: string): readonly string[] =>
    parents.map((parent) => join(parent, machine, 'cgroup.procs'));
  const into = filesOf('$machine').map((file) => `echo $$ >"${file}"`);
  const makeScript = (name: string, end: string): string => {
    const path = join(scratch.directory, name);
    writeFileSync(path, `${['#!/bin/sh', 'set -e', 'machine=$1', 'shift', ...into, end].join('\n')}\n`, {
      mode: 0o755,
    });
    return path;
  };
  return {
    enter: makeScript('enter', 'exec "$@"'),
    login: makeScript('login', '[ "$1" != -- ] || shift\nexec sh -c "$*"'),
  };
}

function makeGroup(scratch: Scratch, directory: string): void {
  mkdirSync(directory);
  scratch.defer(async () => {
    // What was left behind here belongs to the benchmark: nothing else can enter.
    for (let look = 0; look < LOOKS_MAX; look += 1) {
      const pids = readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
      if (pids.length === 0) break;
      if (look === LOOKS_MAX / 2) for (const pid of pids) process.kill(pid, 'SIGKILL');
      await sleep(LOOK_MS);
    }
    rmdirSync(directory);
  });
}

const LOOKS_MAX = 50;
const LOOK_MS = 100;
