/**
 * A launcher and its guardian alone, without a node: under a shell of choice, with the kernel's clock, with one in a file that a test
 * makes lie, or with none. Everything is ended by its pid.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDoubt, writeDeadline } from '../../src/run/deadline.js';
import { LAUNCHER } from '../../src/run/launcher.js';
import { formatOrder } from '../../src/run/order.js';
import { readProcessTable } from '../../src/run/process-table.js';
import { reserveFiles } from '../../src/run/reserved-files.js';

/** The shells that are tried, as far as they are here. */
export const SHELLS: readonly string[] = ['/bin/dash', '/bin/bash', '/bin/busybox'].filter((path) => existsSync(path));

/** A job with its guardian. */
export interface Guarded {
  readonly directory: string;
  /** The launcher. */
  readonly pid: number;
  readonly guardian: () => number;
  /** State letters of the job's own processes. */
  states(): readonly string[];
  /** Gives it so long, as a node does that has read this doubt. */
  give(ms: number, doubt: number): void;
  doubt(): number;
  /** What the clock in the file says, hundredths; any text, or nothing. */
  setClock(text: string | undefined): void;
  /** The exit file's first word, once the launcher has ended, and why the guardian ended it. */
  end(): Promise<{ readonly code: string; readonly ended: string }>;
  clear(): Promise<void>;
}

/** How it is guarded. */
export interface GuardedOptions {
  readonly shell: string;
  readonly script: string;
  readonly leaseMs: number;
  readonly limitMs?: number;
  /** `kernel`: as in earnest; `file`: one that {@link Guarded.setClock} sets. */
  readonly clock?: 'kernel' | 'file';
}

/** The launcher's text as it is, or reading its clock from a file. */
function textOf(clock: string | undefined): string {
  if (clock === undefined) return LAUNCHER;
  const parts = LAUNCHER.split('/proc/$!/stat');
  if (parts.length !== 2) throw new Error('the guardian reads its clock elsewhere now');
  return parts.join(`'${clock}'`);
}

/** Starts one; it runs when this returns. */
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
  reserveFiles(directory);
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
    at: 0,
    input: '/dev/null',
    fault: undefined,
    argv: ['sh', '-c', script],
    environment: { PATH: process.env['PATH'] ?? '' },
  };
  writeFileSync(join(directory, 'order'), formatOrder(order));
  const read = (name: string): string =>
    existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8') : '';
  const setClock = (text: string | undefined): void => {
    if (clockFile === undefined) throw new Error('its clock is the kernel’s');
    if (text === undefined) rmSync(clockFile, { force: true });
    else writeFileSync(clockFile, text);
  };
  if (clockFile !== undefined) setClock(formatClock(1000));
  child.stdin?.end(`${directory}\n`);
  while (read('stdout') === '') await new Promise((resolve) => setTimeout(resolve, 5));

  const rows = (): ReturnType<typeof readProcessTable> =>
    readProcessTable().filter((row) => row.session === pid && !row.zombie);
  const guardian = (): number => {
    const found = rows().find((row) => row.parent === pid && isLauncher(row.pid));
    if (found === undefined) throw new Error('it has no guardian');
    return found.pid;
  };
  // What it is to notice must come after its first look at the clock: it waits for its first nap.
  while (!isNapping(guardian())) await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    directory,
    pid,
    guardian,
    states: () => {
      const guard = guardian();
      return rows()
        .filter((row) => row.pid !== pid && row.pid !== guard && row.parent !== guard)
        .map((row) => readState(row.pid));
    },
    give: (ms, doubt) => writeDeadline(directory, ms, doubt),
    doubt: () => readDoubt(directory) ?? 0,
    setClock,
    end: async () => {
      await gone;
      return { code: read('exit').split('\n')[0]?.trim() ?? '', ended: read('ended').trim() };
    },
    clear: async () => {
      for (const row of readProcessTable()) if (row.session === pid) process.kill(row.pid, 'SIGKILL');
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A stat file whose process began then. */
export function formatClock(hundredths: number): string {
  return `7 (sleep) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${hundredths} 0 0\n`;
}

/** Whether it has started a nap and waits for it: shells do so in `sigsuspend` or in `wait4`. */
function isNapping(guardian: number): boolean {
  const hasNap = readProcessTable().some((row) => row.parent === guardian && !row.zombie);
  return hasNap && /sigsuspend|wait/.test(readFileSync(`/proc/${guardian}/wchan`, 'utf8'));
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
