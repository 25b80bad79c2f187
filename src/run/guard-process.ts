/**
 * Tells which processes of a run guard it: its launcher, its guardian, and what the guardian sleeps with. Whoever slows a
 * run down must leave these alone, or its lease would not be kept.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { LAUNCHER } from './launcher.js';

/** Whether a process is a launcher, a guardian, or the `sleep` of one. */
export function isGuardProcess(pid: number): boolean {
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
  if (process.platform === 'linux') return readText(`/proc/${pid}/cmdline`).split('\0');
  const [program = '', flag = '', ...rest] = askPs(pid, 'command=').split(' ');
  return [program, flag, rest.join(' ')];
}

function readParent(pid: number): number {
  if (process.platform !== 'linux') return Number(askPs(pid, 'ppid=')) || 0;
  const stat = readText(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[1]) || 0;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function askPs(pid: number, column: string): string {
  try {
    return execFileSync('ps', ['-ww', '-o', column, '-p', String(pid)], {
      encoding: 'latin1',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return '';
  }
}
