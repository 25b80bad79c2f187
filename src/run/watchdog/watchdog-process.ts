/**
 * Recognises the processes that guard a run: its launcher, its watchdog, and the `sleep` of the watchdog. Code that
 * throttles or stops a run must leave these alone, or the lease would not be enforced.
 */
import { askPs } from '../../os/ask-ps.js';
import { readCommandLine } from '../../os/proc-files.js';
import { tryReadProcStat } from '../../os/proc-stat.js';
import { LAUNCHER } from '../launch/launcher.js';

/** Whether a process is a launcher, a watchdog, or a watchdog's `sleep`. */
export function isWatchdogProcess(pid: number): boolean {
  if (runsLauncher(pid)) return true;
  const parent = readParent(pid);
  // A job that is a `sleep` has the launcher as its parent, not the watchdog below it.
  return readWords(pid)[0]?.endsWith('sleep') === true && runsLauncher(parent) && runsLauncher(readParent(parent));
}

/** `ps` prints newlines in its own way, so only the first line of the program text is compared. */
const OPENING = LAUNCHER.trim().split('\n')[0] ?? '';

/**
 * Whether it is a shell with the launcher's text: the launcher, or the watchdog, which is forked from it. The fork
 * server is not a shell.
 */
function runsLauncher(pid: number): boolean {
  const [, flag, text = ''] = readWords(pid);
  return flag === '-c' && text.trimStart().startsWith(OPENING);
}

function readWords(pid: number): readonly string[] {
  if (process.platform === 'linux') return readCommandLine(pid);
  const [program = '', flag = '', ...rest] = askPs('-ww', '-o', 'command=', '-p', String(pid)).split(' ');
  return [program, flag, rest.join(' ')];
}

function readParent(pid: number): number {
  if (process.platform !== 'linux') return Number(askPs('-ww', '-o', 'ppid=', '-p', String(pid))) || 0;
  return tryReadProcStat(pid)?.parent ?? 0;
}
