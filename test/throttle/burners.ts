/** Processes that burn a core, all on the first one, so that their processor times can be compared with each other. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { readEntry } from '../../src/throttle/process-entry.js';

const PINNED = existsSync('/usr/bin/taskset') ? ['taskset', '-c', '0'] : [];

/** A burner in a session of its own; it ends with the test. */
export interface Burner {
  readonly pid: number;
  /** It and its children. */
  pids(): readonly number[];
  cpuS(): number;
  end(): Promise<void>;
}

/** Starts one; `children` more burn below it, and `script` replaces what it does itself. */
export async function startBurner(children = 0, script = 'while :; do :; done'): Promise<Burner> {
  const text = `${'(while :; do :; done) & '.repeat(children)}${script}`;
  const [program, ...args] = [...PINNED, 'sh', '-c', text];
  const child = spawn(program, args, { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const burner: Burner = {
    pid,
    pids: () => listGroup(pid),
    cpuS: () => listGroup(pid).reduce((sum, one) => sum + (readEntry(one)?.cpuS ?? 0), 0),
    end: () => end(child),
  };
  onTestFinished(burner.end);
  await until(() => burner.pids().length > children && burner.cpuS() > 0);
  return burner;
}

/** What a burner used for each cpu second of another one, while that used `cpuS` more. */
export async function compareUse(one: Burner, reference: Burner, cpuS = 1): Promise<number> {
  const from = { one: one.cpuS(), reference: reference.cpuS() };
  await until(() => reference.cpuS() >= from.reference + cpuS);
  return (one.cpuS() - from.one) / (reference.cpuS() - from.reference);
}

/** Looks again until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(20);
}

/** All that a throttle may have changed about processes. */
export function describeProcesses(pids: readonly number[]): readonly string[] {
  return pids.map((pid) => `${readText(pid, 'cgroup')}${readText(pid, 'autogroup')}${String(readEntry(pid)?.stopped)}`);
}

/** Pids of a process group; children of a shell that is no terminal's stay in its group. */
function listGroup(group: number): readonly number[] {
  const pids: number[] = [group];
  // The children of each, until there are no more: /proc/PID/task/PID/children is exact.
  for (const pid of pids) pids.push(...readText(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number));
  return pids.filter((pid) => readEntry(pid) !== undefined);
}

function readText(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  // Its own group: a stopped member dies of it, too.
  process.kill(-child.pid, 'SIGKILL');
  await gone;
}
