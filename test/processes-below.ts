/**
 * Which processes belong to a directory: they work below it, were started with a path in it, or have one in their environment.
 * For tests that must leave nothing behind; it ends nothing.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** One process; `command` is its command line with a space after each word. */
export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/** Lists them, this process and zombies left out. Without /proc a process that only works below it is not seen. */
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

/** Empty for a process that ended meanwhile. */
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
