/**
 * Tells which processes of a run guard it: its launcher, its guardian, and what the guardian sleeps with. Whoever slows
 * a run down must leave these alone, or its lease would not be kept.
 */
import { askPs } from '../../os/ask-ps.js';
import { readCommandLine } from '../../os/proc-files.js';
import { tryReadProcStat } from '../../os/proc-stat.js';
import { LAUNCHER } from '../launch/launcher.js';

/** Whether a process is a launcher, a guardian, or the `sleep` of one. */
export function isWatchdogProcess(pid: number): boolean {
  if (runsLauncher(pid)) return true;
  const parent = readParent(pid);
  // A job that is a `sleep` itself has the launcher as its parent, not the guardian below it.
  return readWords(pid)[0]?.endsWith('sleep') === true && runsLauncher(parent) && runsLauncher(readParent(parent));
}

/** `ps` shows line ends in its own way: the first line of the text is enough. */
const OPENING = LAUNCHER.trim().split('\n')[0] ?? '';

/** A shell with the launcher's text: the launcher, or the guardian, which is a fork of it. The nursery is no shell. */
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
