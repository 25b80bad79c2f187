/**
 * A mount namespace whose /proc/uptime can be made to lie while programs run in it, as LXCFS does in a container that
 * is restarted or moved. Nothing outside changes; the namespace ends with its only process.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { requirement } from './requirements.js';

/** How /proc/uptime lies. */
export type Lie = 'empty' | 'unreadable' | 'garbage' | 'ahead' | 'back' | 'frozen';

/** The namespace. */
export interface LyingProc {
  /** Program and arguments to put in front of a command that is to run there. */
  readonly within: readonly string[];
  /** Makes it lie from now on, in this way only. */
  lie(how: Lie): void;
  /** Restores the kernel's own file. */
  tellTruth(): void;
  /** What a program there reads; throws if it cannot read. */
  read(): string;
  end(): Promise<void>;
}

/** Whether mounts can be made; otherwise tests are skipped or fail, see test/support/requirements.ts. */
export const canLie: boolean = requirement(
  'root on Linux to mount over /proc/uptime',
  process.platform === 'linux' && process.getuid?.() === 0 && canUnshare(),
  'run the tests as root with util-linux, with CAP_SYS_ADMIN',
);

/** Opens a namespace in which /proc/uptime is still right. */
export async function openLyingProc(): Promise<LyingProc> {
  const directory = mkdtempSync(join(tmpdir(), 'tritmesh-lying-'));
  const text = 'mount --make-rprivate / && echo ready && exec sleep 2147483647';
  const child = spawn('unshare', ['-m', '/bin/sh', '-ec', text], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface({ input: child.stdout }), 'line');
  const within = ['nsenter', '-t', String(child.pid), '-m', '--'];
  let isLying = false;

  const run = (...argv: readonly string[]): string => {
    const [first = '', ...rest] = [...within, ...argv];
    return execFileSync(first, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  };

  function tellTruth(): void {
    // A lazy unmount, also while the file is open, as when LXCFS ends.
    if (isLying) run('umount', '-l', '/proc/uptime');
    isLying = false;
  }

  return {
    within,
    tellTruth,
    lie: (how) => {
      const file = join(directory, how);
      if (how !== 'unreadable') writeFileSync(file, TEXTS[how]());
      // A file that can be opened but not read; permissions would not stop root.
      const source = how === 'unreadable' ? `/proc/${child.pid}/mem` : file;
      tellTruth();
      run('mount', '--bind', source, '/proc/uptime');
      isLying = true;
    },
    read: () => run('cat', '/proc/uptime'),
    end: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const uptime = (): number => Number.parseFloat(readFileSync('/proc/uptime', 'latin1'));
const format = (seconds: number): string => `${seconds.toFixed(2)} 1.00\n`;

const TEXTS: Readonly<Record<Exclude<Lie, 'unreadable'>, () => string>> = {
  empty: () => '',
  garbage: () => 'no such clock\n',
  ahead: () => format(uptime() + 864_000),
  back: () => format(0.5),
  frozen: () => format(uptime()),
};

function canUnshare(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '--make-rprivate', '/'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
