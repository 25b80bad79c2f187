/**
 * Which processes belong to which container, by their cgroups: podman names the cgroup of a container `libpod-<id>`, and that of
 * its conmon otherwise. It asks nobody, so it is also right while podman is busy. Linux only; elsewhere it finds none.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** One process of a container. */
export interface MemberFacts {
  readonly pid: number;
  /** Seconds of cpu, user and system, of it and of the children that it waited for. */
  readonly cpuS: number;
  /** About what it adds to an image. */
  readonly memoryBytes: number;
}

/** USER_HZ, which is 100 on every Linux that Node.js runs on. */
const TICKS_PER_S = 100;

/** The full id of the container that a process is in. */
export function findContainer(pid: number): string | undefined {
  return /\/libpod-([0-9a-f]{64})(?:\.scope)?(?:\/|$)/m.exec(readProc(pid, 'cgroup'))?.[1];
}

/** The live processes of a container. */
export function listMembers(id: string): readonly number[] {
  return listPids().filter((pid) => findContainer(pid) === id && isLive(pid));
}

/** What a process uses; nothing of one that has gone. */
export function measureMember(pid: number): MemberFacts {
  const memory = readProc(pid, 'smaps_rollup');
  const kib = ['Anonymous', 'Swap', 'Pss_Shmem'].map((key) =>
    Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(memory)?.[1] ?? 0),
  );
  const ticks = readStat(pid).slice(11, 15).map(Number);
  return { pid, cpuS: sum(ticks) / TICKS_PER_S, memoryBytes: sum(kib) * 1024 };
}

/** Whether a podman is at work that freezes or resumes a container, whoever started it. */
export function isPodmanBusy(id: string): boolean {
  return listPids().some((pid) => {
    const words = readProc(pid, 'cmdline').split('\0');
    const isPodman = words.slice(0, 2).some((word) => /(?:^|\/)podman$/.test(word));
    return isPodman && words.includes(id) && words.some((word) => word === 'checkpoint' || word === 'restore');
  });
}

function isLive(pid: number): boolean {
  const [state = 'Z'] = readStat(pid);
  return state !== 'Z' && state !== 'X';
}

/** The fields behind the name; empty when there is no such process. */
function readStat(pid: number): readonly string[] {
  const text = readProc(pid, 'stat');
  return text === '' ? [] : text.slice(text.lastIndexOf(') ') + 2).split(' ');
}

function listPids(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
