/**
 * Finds out which processes belong to which container, by their cgroups: podman names the cgroup of a container
 * `libpod-<id>`, and that of its conmon differently. It does not call podman, so it is correct even while podman is
 * busy. Linux only; elsewhere it finds none.
 */
import { listPids, readCommandLine, readProc } from '../os/proc-files.js';
import { hasEnded, TICKS_PER_S, tryReadProcStat } from '../os/proc-stat.js';

/** One process of a container. */
export interface ContainerProcess {
  readonly pid: number;
  /** Seconds of cpu time, user and system, of the process and the children that it waited for. */
  readonly cpuS: number;
  /** Approximately what it adds to an image. */
  readonly memoryBytes: number;
}

/** Returns the full id of the container that a process is in; `undefined` when it is in none. */
export function findContainer(pid: number): string | undefined {
  return /\/libpod-([0-9a-f]{64})(?:\.scope)?(?:\/|$)/m.exec(readProc(pid, 'cgroup'))?.[1];
}

/** Returns the pids of the live processes of a container; empty where there is no /proc. */
export function listContainerProcesses(id: string): readonly number[] {
  return tryListPids().filter((pid) => findContainer(pid) === id && isLive(pid));
}

/** Measures what a process uses; zeros for one that has ended. */
export function measureContainerProcess(pid: number): ContainerProcess {
  const memory = readProc(pid, 'smaps_rollup');
  const kib = ['Anonymous', 'Swap', 'Pss_Shmem'].map((key) =>
    Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(memory)?.[1] ?? 0),
  );
  const { ownTicks, childTicks } = tryReadProcStat(pid) ?? { ownTicks: 0, childTicks: 0 };
  return { pid, cpuS: (ownTicks + childTicks) / TICKS_PER_S, memoryBytes: sum(kib) * 1024 };
}

/** Whether a podman is freezing or resuming a container, whichever process started it. */
export function isPodmanBusy(id: string): boolean {
  return tryListPids().some((pid) => {
    const words = readCommandLine(pid);
    const isPodman = words.slice(0, 2).some((word) => /(?:^|\/)podman$/.test(word));
    return isPodman && words.includes(id) && words.some((word) => word === 'checkpoint' || word === 'restore');
  });
}

function isLive(pid: number): boolean {
  const stat = tryReadProcStat(pid);
  return stat !== undefined && !hasEnded(stat);
}

function tryListPids(): readonly number[] {
  try {
    return listPids();
  } catch {
    return [];
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
