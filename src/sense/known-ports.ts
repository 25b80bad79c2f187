/**
 * Remembers the listening ports of heavy processes. For each reading the kernel prints its whole table of sockets,
 * which takes more time than everything else that is read of a process.
 */
import { listListeningPorts } from '../os/listening-ports.js';
import type { ProcessSample } from './sense.js';

/** Longest time until the ports of a process are read again, ms. */
const KEPT_MS = 60_000;

interface Known {
  readonly ports: readonly number[];
  readonly until: number;
}

/** Returns the ports of a process below a /proc directory. `now`: monotonic ms. */
export type ReadPorts = (process: Pick<ProcessSample, 'pid' | 'start' | 'ageS'>, now: number) => readonly number[];

/**
 * Creates the reader of one node. Ports are read again when the process is twice as old, at the latest after a minute:
 * servers open their ports when they start, and a young process may not have done so yet.
 */
export function createPortReader(procDir: string): ReadPorts {
  let known = new Map<string, Known>();
  return ({ pid, start, ageS }, now) => {
    const name = `${pid} ${start}`;
    const last = known.get(name);
    if (last !== undefined && now < last.until) return last.ports;
    // Entries that ran out belong to processes that ended or are no longer heavy.
    known = new Map([...known].filter(([, one]) => now < one.until));
    const ports = listListeningPorts(`${procDir}/${pid}`);
    known.set(name, { ports, until: now + Math.min(KEPT_MS, ageS * 1000) });
    return ports;
  };
}
