/**
 * Says who the processes of this machine are, as far as the never-list asks: all of them, since it goes by parents and
 * sessions, and of the one that is asked for its command and the ports that it listens on, too. It only looks.
 */
import type { ProcessFacts } from '../core/processes/process-facts.js';
import { listListeningPorts } from '../os/listening-ports.js';
import { readCommandLine } from '../os/proc-files.js';
import { type ProcStat } from '../os/proc-stat.js';
import { listEntries } from './proc-entry.js';

/** Reads all processes, by pid; of those that are asked for more. */
export function identifyProcesses(...pids: readonly number[]): ReadonlyMap<number, ProcessFacts> {
  const asked = new Set(pids);
  try {
    return new Map(listEntries().map((entry) => [entry.pid, describe(entry, asked.has(entry.pid))]));
  } catch {
    // No /proc to look at.
    return new Map();
  }
}

function describe({ pid, parent, name, session, tty, isKernel, startTicks }: ProcStat, closely: boolean): ProcessFacts {
  const known = { pid, ppid: parent, name, session, terminal: tty !== 0, kernelThread: isKernel, start: startTicks };
  return closely ? { ...known, command: readCommandLine(pid), ports: listListeningPorts(`/proc/${pid}`) } : known;
}
