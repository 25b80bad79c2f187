/**
 * A launcher and its watchdog without a node: under a chosen shell, with the kernel's clock, with one in a file that a
 * test makes lie, or with none. Everything is ended by its pid.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDoubt, writeDeadline } from '../../src/run/watchdog/deadline.js';
import { readProcessTable } from '../../src/run/processes/process-table.js';
import { signalProcess } from '../../src/run/processes/session.js';
import { formatLegacyOrder, LAUNCHER, reserveLegacyFiles } from './legacy-run.js';

/** The shells to test with, as far as they are installed. */
export const SHELLS: readonly string[] = ['/bin/dash', '/bin/bash', '/bin/busybox'].filter((path) => existsSync(path));

/** A job with its watchdog. */
export interface Guarded {
  readonly directory: string;
  /** The launcher. */
  readonly pid: number;
  /** Just before the launcher was let go, ms of `performance.now()`. */
  readonly startedAt: number;
  readonly watchdog: () => number;
  /** The state letters of the job's own processes. */
  states(): readonly string[];
  /** Extends the deadline, as a node does that has read this doubt. */
  extend(ms: number, doubt: number): void;
  doubt(): number;
  /** Sets the text of the clock file; `undefined` removes the file. */
  setClock(text: string | undefined): void;
  /** Waits for the launcher to end; resolves with the exit file's first line, and why the watchdog ended it. */
  end(): Promise<{ readonly code: string; readonly ended: string }>;
  clear(): Promise<void>;
}

/** How the job is started and watched. */
export interface GuardedOptions {
  readonly shell: string;
  readonly script: string;
  readonly leaseMs: number;
  readonly limitMs?: number;
  /** `kernel`: as in production; `file`: a clock that {@link Guarded.setClock} sets. */
  readonly clock?: 'kernel' | 'file';
}

/** The launcher's program, unchanged or reading its clock from a file. */
function textOf(clock: string | undefined): string {
  if (clock === undefined) return LAUNCHER;
  const parts = LAUNCHER.split('/proc/$!/stat');
  if (parts.length !== 2) throw new Error('the watchdog must read its clock in exactly one place');
  return parts.join(`'${clock}'`);
}

/** Starts a job with its watchdog; resolves once both run. */
export async function startGuarded({
  shell,
  script,
  leaseMs,
  limitMs = Infinity,
  clock = 'kernel',
}: GuardedOptions): Promise<Guarded> {
  const directory = mkdtempSync(join(tmpdir(), 'tritmesh-guarded-'));
  const clockFile = clock === 'file' ? join(directory, 'clock') : undefined;
  mkdirSync(join(directory, 'work'));
  reserveLegacyFiles(directory);
  const applet = shell.endsWith('busybox') ? ['sh'] : [];
  const child: ChildProcess = spawn(shell, [...applet, '-c', textOf(clockFile), 'tritmesh-launcher'], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '' },
  });
  const pid = child.pid ?? 0;
  const gone = once(child, 'exit');
  const order = {
    handle: { pid, start: 'none' },
    limit: Math.min(999_999_999_999_999, limitMs / 10),
    lease: leaseMs / 10,
    argv: ['sh', '-c', script],
    path: process.env['PATH'] ?? '',
  };
  writeFileSync(join(directory, 'order'), formatLegacyOrder(order));
  const read = (name: string): string =>
    existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8') : '';
  const setClock = (text: string | undefined): void => {
    if (clockFile === undefined) throw new Error("it uses the kernel's clock, which cannot be set");
    if (text === undefined) rmSync(clockFile, { force: true });
    else writeFileSync(clockFile, text);
  };
  if (clockFile !== undefined) setClock(formatClock(1000));
  const startedAt = performance.now();
  child.stdin?.end(`${directory}\n`);
  while (read('stdout') === '') await new Promise((resolve) => setTimeout(resolve, 5));

  const rows = (): ReturnType<typeof readProcessTable> =>
    readProcessTable().filter((row) => row.session === pid && !row.zombie);
  const watchdog = (): number => {
    const found = rows().find((row) => row.parent === pid && isLauncher(row.pid));
    if (found === undefined) throw new Error('the launcher has no watchdog');
    return found.pid;
  };
  // What the watchdog is to notice must happen after its first reading of the clock, so wait for its first sleep.
  while (!isNapping(watchdog())) await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    directory,
    pid,
    startedAt,
    watchdog,
    states: () => {
      const guard = watchdog();
      return rows()
        .filter((row) => row.pid !== pid && row.pid !== guard && row.parent !== guard)
        .map((row) => readState(row.pid));
    },
    extend: (ms, doubt) => writeDeadline(directory, ms, doubt),
    doubt: () => readDoubt(directory) ?? 0,
    setClock,
    end: async () => {
      await gone;
      return { code: read('exit').split('\n')[0]?.trim() ?? '', ended: read('ended').trim() };
    },
    clear: async () => {
      for (const row of readProcessTable()) if (row.session === pid) signalProcess(row.pid, 'SIGKILL');
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The stat file of a process that started at this time. */
export function formatClock(hundredths: number): string {
  return `7 (sleep) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${hundredths} 0 0\n`;
}

/** Whether the watchdog sleeps: it has started `sleep`, and its shell waits in `sigsuspend` or `wait4`. */
function isNapping(watchdog: number): boolean {
  const hasNap = readProcessTable().some((row) => row.parent === watchdog && !row.zombie);
  return hasNap && /sigsuspend|wait/.test(readFileSync(`/proc/${watchdog}/wchan`, 'utf8'));
}

function isLauncher(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('tritmesh-launcher');
  } catch {
    return false;
  }
}

function readState(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(') ') + 2)[0] ?? '';
  } catch {
    return 'gone';
  }
}
