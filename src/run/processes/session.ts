/**
 * The session of a run: the launcher's session and process group, known by the launcher's pid. It tells who lives in it
 * and sends signals to all of them; whether that is right is for the caller to know.
 */
import { errorCode } from '../../os/errors.js';
import { belongsTo, readProcessTable, tryReadProcessTable, type ProcessRow } from './process-table.js';
import type { RunHandle } from '../runner.js';

/** As a target of `kill`, 0 and -1 mean far more than one group: never a launcher. */
const PID_INIT = 1;

/**
 * Live members (zombies left out) of several sessions, by the pid of their launcher; one look at all processes. Throws
 * when that cannot be had.
 */
export function listSessionProcesses(
  launchers: readonly number[],
  look: () => readonly ProcessRow[] = readProcessTable,
): ReadonlyMap<number, readonly number[]> {
  const members = new Map<number, number[]>(launchers.map((pid) => [pid, []]));
  if (launchers.length === 0) return members;
  for (const row of look()) {
    if (!row.zombie) (members.get(row.session) ?? members.get(row.group))?.push(row.pid);
  }
  return members;
}

/** Asks a session to end: SIGTERM to each, then SIGCONT, because a stopped process would not notice. */
export function terminateSession(launcher: number): void {
  signalSession(launcher, 'SIGTERM');
  signalSession(launcher, 'SIGCONT');
}

/** Ends a session at once: its process group, and members that made groups of their own. */
export function killSession(launcher: number): void {
  signalSession(launcher, 'SIGKILL');
}

/** Whether nothing of the session of an ended launcher lives; `isShort`: nobody had time to leave the group. */
export function isDeserted(
  { handle, directory, isAdopted }: { handle: RunHandle; directory: string; isAdopted: boolean },
  isShort: boolean,
): boolean {
  if (isAdopted) return listOrphans(handle.pid, directory).length === 0;
  if (isShort && isGroupGone(handle.pid)) return true;
  return listSessionProcesses([handle.pid]).get(handle.pid)?.length === 0;
}

/** Whether the process group is surely empty: a cheap question that a zombie answers with no. */
export function isGroupGone(launcher: number): boolean {
  try {
    process.kill(-launcher, 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

/**
 * Live members of the session of a dead launcher, none if they are not the run's: the pid may long be another's. Throws
 * as above.
 */
export function listOrphans(launcher: number, directory: string): readonly number[] {
  if (launcher <= PID_INIT) return [];
  const members = listSessionProcesses([launcher]).get(launcher) ?? [];
  return members.some((pid) => belongsTo(pid, directory)) ? members : [];
}

/**
 * The group by one call; who left it, one by one. Nobody gets a signal twice: a second SIGTERM means "at once" to many.
 */
function signalSession(launcher: number, signal: NodeJS.Signals): void {
  if (launcher <= PID_INIT) return;
  const strays = tryReadProcessTable().filter(
    (row) => row.session === launcher && row.group !== launcher && !row.zombie,
  );
  signalProcess(-launcher, signal);
  for (const stray of strays) signalProcess(stray.pid, signal);
}

/** Sends a signal to one process, if it is there. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone, or not ours to end: the next look at the processes tells.
  }
}
