/**
 * Describes the processes of this machine as far as the check for protected processes needs it: all of them, because
 * it follows parents and sessions, and those in question with their command and listening ports. Only reads.
 */
import type { ProcessFacts } from '../core/processes/process-facts.js';
import { listListeningPorts } from '../os/listening-ports.js';
import { readCommandLine } from '../os/proc-files.js';
import { type ProcStat } from '../os/proc-stat.js';
import { listEntries } from './proc-entry.js';

/** Returns all processes by pid, those in `pids` with their command and ports; empty where there is no /proc. */
export function identifyProcesses(...pids: readonly number[]): ReadonlyMap<number, ProcessFacts> {
  const asked = new Set(pids);
  try {
    return new Map(listEntries().map((entry) => [entry.pid, describe(entry, asked.has(entry.pid))]));
  } catch {
    return new Map();
  }
}

function describe({ pid, parent, name, session, tty, isKernel, startTicks }: ProcStat, closely: boolean): ProcessFacts {
  const known = { pid, ppid: parent, name, session, terminal: tty !== 0, kernelThread: isKernel, start: startTicks };
  return closely ? { ...known, command: readCommandLine(pid), ports: listListeningPorts(`/proc/${pid}`) } : known;
}
