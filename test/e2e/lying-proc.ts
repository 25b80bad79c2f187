/**
 * A mount namespace whose /proc/uptime can be made to lie while programs run in it, as LXCFS does in a container when it is restarted
 * or moved. Nothing outside is touched; it ends with its one process.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { requirement } from '../requirements.js';

/** How /proc/uptime can be. */
export type Lie = 'empty' | 'unreadable' | 'garbage' | 'ahead' | 'back' | 'frozen';

/** A place where it may lie. */
export interface LyingProc {
  /** Program and arguments that run what stands behind them there. */
  readonly within: readonly string[];
  /** From now on, instead of whatever it said before. */
  lie(how: Lie): void;
  /** The kernel's own again. */
  tellTruth(): void;
  /** What a program there reads; throws when it cannot. */
  read(): string;
  end(): Promise<void>;
}

/** True where mounts can be made; said or thrown otherwise, as test/requirements.ts has it. */
export const canLie: boolean = requirement(
  'root on Linux to mount over /proc/uptime',
  process.platform === 'linux' && process.getuid?.() === 0 && canUnshare(),
  'run the tests as root with util-linux, with CAP_SYS_ADMIN',
);

/** Makes one that tells the truth. */
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
    // The mount is taken away from under whoever has the file open, as when LXCFS goes.
    if (isLying) run('umount', '-l', '/proc/uptime');
    isLying = false;
  }

  return {
    within,
    tellTruth,
    lie: (how) => {
      const file = join(directory, how);
      if (how !== 'unreadable') writeFileSync(file, TEXTS[how]());
      // A file whose open works and whose read fails: root reads whatever has a mode.
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
