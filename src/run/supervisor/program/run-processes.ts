/**
 * The processes of a run as the supervisor finds and signals them. Whether a signal is appropriate is for the caller.
 */
import { hasEnded, tryReadProcStat } from '../../../os/proc-stat.js';
import { listDescendants, tryReadProcessTable, type ProcessRow } from '../../processes/process-table.js';
import { signalProcess } from '../../processes/session.js';
import type { RunMode } from '../lines.js';

/** Looks for new members this many times, so that nothing forks away. */
const ROUNDS = 3;

/** Sends SIGKILL to all of a session, which its leader is of as well. */
export function killAll(leader: number): void {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { pid, session } of tryReadProcessTable()) if (session === leader) signalProcess(pid, 'SIGKILL');
    signalProcess(-leader, 'SIGKILL');
  }
}

/**
 * Stops the session of a run and all descendants, except those in `held`, which have been stopped. Returns the pids of
 * all that it stopped so far. Of a run in a namespace the session itself is left, since its init must not be stopped.
 */
export function holdAll(leader: number, mode: RunMode, held: ReadonlySet<number>): ReadonlySet<number> {
  const stopped = new Set(held);
  for (let round = 0; round < ROUNDS; round += 1) {
    const table = tryReadProcessTable();
    const rows = [...table.filter(({ session }) => session === leader), ...listDescendants(leader, table)];
    for (const row of rows) if (isToHold(row, leader, mode)) stopped.add(row.pid);
  }
  return stopped;

  function isToHold({ pid, session, zombie }: ProcessRow, of: number, kind: RunMode): boolean {
    if (zombie || stopped.has(pid) || (kind === 'namespace' && session === of)) return false;
    const stat = tryReadProcStat(pid);
    // What criu, a throttle or the command itself stopped is theirs to continue.
    if (stat?.state === 'T' || (stat !== undefined && hasEnded(stat))) return false;
    signalProcess(pid, 'SIGSTOP');
    return true;
  }
}
