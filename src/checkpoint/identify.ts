/**
 * Says who the processes of this machine are, as far as the never-list asks: all of them, since it goes by parents and sessions, and
 * of the one that is asked for its command and the ports that it listens on, too. It only looks.
 */
import { readdirSync } from 'node:fs';
import type { ProcessFacts } from '../core/process-facts.js';
import { listEntries, readProc, readProcLink, type ProcEntry } from './proc-entry.js';

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

function describe(
  { pid, parent, name, session, tty, isKernel, startTicks }: ProcEntry,
  closely: boolean,
): ProcessFacts {
  const known = { pid, ppid: parent, name, session, terminal: tty !== 0, kernelThread: isKernel, start: startTicks };
  return closely ? { ...known, command: readCommand(pid), ports: listPorts(pid) } : known;
}

function readCommand(pid: number): readonly string[] {
  return readProc(pid, 'cmdline').replace(/\0$/, '').split('\0');
}

/** Listening TCP sockets of its network namespace that are among its own files. */
function listPorts(pid: number): readonly number[] {
  const own = new Set(listLinks(pid));
  const ports = ['net/tcp', 'net/tcp6'].flatMap((table) =>
    [...readProc(pid, table).matchAll(LISTENING)]
      .filter(([, , inode = '']) => own.has(`socket:[${inode}]`))
      .map(([, port = '']) => Number.parseInt(port, 16)),
  );
  return [...new Set(ports)];
}

/** `sl local:port remote:port 0A tx:rx tr:when retransmits uid timeout inode`: 0A is listening. */
const LISTENING = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A \S+ \S+ \S+ +\d+ +\d+ (\d+) /gm;

function listLinks(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readProcLink(pid, `fd/${fd}`));
  } catch {
    return [];
  }
}
