/**
 * Which processes belong to which container, by their cgroups: podman names the cgroup of a container `libpod-<id>`,
 * and that of its conmon otherwise. It asks nobody, so it is also right while podman is busy. Linux only; elsewhere it
 * finds none.
 */
import { listPids, readCommandLine, readProc } from '../os/proc-files.js';
import { hasEnded, TICKS_PER_S, tryReadProcStat } from '../os/proc-stat.js';

/** One process of a container. */
export interface ContainerProcess {
  readonly pid: number;
  /** Seconds of cpu, user and system, of it and of the children that it waited for. */
  readonly cpuS: number;
  /** About what it adds to an image. */
  readonly memoryBytes: number;
}

/** The full id of the container that a process is in. */
export function findContainer(pid: number): string | undefined {
  return /\/libpod-([0-9a-f]{64})(?:\.scope)?(?:\/|$)/m.exec(readProc(pid, 'cgroup'))?.[1];
}

/** The live processes of a container. */
export function listContainerProcesses(id: string): readonly number[] {
  return tryListPids().filter((pid) => findContainer(pid) === id && isLive(pid));
}

/** What a process uses; nothing of one that has gone. */
export function measureContainerProcess(pid: number): ContainerProcess {
  const memory = readProc(pid, 'smaps_rollup');
  const kib = ['Anonymous', 'Swap', 'Pss_Shmem'].map((key) =>
    Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(memory)?.[1] ?? 0),
  );
  const { ownTicks, childTicks } = tryReadProcStat(pid) ?? { ownTicks: 0, childTicks: 0 };
  return { pid, cpuS: (ownTicks + childTicks) / TICKS_PER_S, memoryBytes: sum(kib) * 1024 };
}

/** Whether a podman is at work that freezes or resumes a container, whoever started it. */
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
