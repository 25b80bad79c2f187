/**
 * Lists the processes that belong to a directory: it is part of their working directory, their command line or their
 * environment. For tests that must leave nothing behind. It ends nothing.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process; `command` is its command line with a space after each word. */
export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/** Lists them, without this process and zombies. Without /proc, working directories are not considered. */
export function listProcessesBelow(directory: string): readonly FoundProcess[] {
  const found = process.platform === 'linux' ? readProc(directory) : listByPs(directory);
  return found.filter(({ pid }) => pid !== process.pid);
}

function readProc(directory: string): readonly FoundProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const command = readText(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    const traces = [
      command,
      readText(() => readFileSync(`/proc/${pid}/environ`, 'utf8')),
      readText(() => readlinkSync(`/proc/${pid}/cwd`)),
    ];
    return traces.some((trace) => trace.includes(directory)) ? [{ pid: Number(pid), command }] : [];
  });
}

/** Returns an empty text for a process that has ended meanwhile. */
function readText(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

function listByPs(directory: string): readonly FoundProcess[] {
  return execFileSync('ps', ['axeww', '-o', 'pid=,command='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(directory))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: `${line.trim().replace(/^\d+\s+/, '')} ` }));
}
