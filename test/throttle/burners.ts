/** Processes that burn a core, all on the first one, so that their processor times can be compared with each other. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { readThrottleEntry } from '../../src/throttle/process-entry.js';

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
  favour(pid);
  const burner: Burner = {
    pid,
    pids: () => listGroup(pid),
    cpuS: () => listGroup(pid).reduce((sum, one) => sum + (readThrottleEntry(one)?.cpuS ?? 0), 0),
    end: () => end(child),
  };
  onTestFinished(burner.end);
  await until(() => burner.pids().length > children && burner.cpuS() > 0);
  return burner;
}

/** On a busy machine a burner gets little; where this user may, its session comes before others. */
function favour(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, '-10');
  } catch {
    // Then it takes longer.
  }
}

/**
 * The share of one core that a burner used while a core had `coreS` seconds: processor time over processor time. However busy
 * the machine is, what is held back to a share gets no more than that.
 */
export async function measureShare(burner: Pick<Burner, 'cpuS'>, coreS = 2): Promise<number> {
  const from = { used: burner.cpuS(), core: readCoreS() };
  await until(() => readCoreS() >= from.core + coreS);
  return (burner.cpuS() - from.used) / (readCoreS() - from.core);
}

/** Seconds that the first core ran or idled, all that it ever did. */
function readCoreS(): number {
  const line = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((one) => one.startsWith('cpu0 '));
  // Time of guests is in the user's already.
  const ticks = (line ?? '').split(' ').slice(1, 9).map(Number);
  return ticks.reduce((sum, one) => sum + one, 0) / 100;
}

/** Looks again until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(20);
}

/** All that a throttle may have changed about processes. */
export function describeProcesses(pids: readonly number[]): readonly string[] {
  return pids.map(
    (pid) => `${readText(pid, 'cgroup')}${readText(pid, 'autogroup')}${String(readThrottleEntry(pid)?.stopped)}`,
  );
}

/** Pids of a process group; children of a shell that is no terminal's stay in its group. */
function listGroup(group: number): readonly number[] {
  const pids: number[] = [group];
  // The children of each, until there are no more: /proc/PID/task/PID/children is exact.
  for (const pid of pids) pids.push(...readText(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number));
  return pids.filter((pid) => readThrottleEntry(pid) !== undefined);
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
