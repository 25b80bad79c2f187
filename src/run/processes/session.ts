/**
 * Lists and signals the session of a run: the launcher's session and process group, identified by the launcher's pid.
 * Whether a signal is appropriate is for the caller to decide.
 */
import { errorCode } from '../../os/errors.js';
import { belongsTo, readProcessTable, tryReadProcessTable, type ProcessRow } from './process-table.js';
import type { RunHandle } from '../runner.js';

/** `kill` takes 0 and -1 for far more than one group, and 1 is init: none of them is ever a launcher. */
const PID_INIT = 1;

/**
 * Live members (without zombies) of several sessions, by the pid of their launcher, from one read of the process
 * table. Throws when `look` does.
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

/** Sends SIGTERM to a whole session, then SIGCONT, because a stopped process would not notice. */
export function terminateSession(launcher: number): void {
  signalSession(launcher, 'SIGTERM');
  signalSession(launcher, 'SIGCONT');
}

/** Sends SIGKILL to a session: its process group, and members in groups of their own. */
export function killSession(launcher: number): void {
  signalSession(launcher, 'SIGKILL');
}

/**
 * Whether the session of an ended launcher has no live process. `isShort`: the run was too short for a process to
 * have left the group, so an empty group suffices. Throws when the process table cannot be read.
 */
export function isDeserted(
  { handle, directory, isAdopted }: { handle: RunHandle; directory: string; isAdopted: boolean },
  isShort: boolean,
): boolean {
  if (isAdopted) return listOrphans(handle.pid, directory).length === 0;
  if (isShort && isGroupGone(handle.pid)) return true;
  return listSessionProcesses([handle.pid]).get(handle.pid)?.length === 0;
}

/** Whether the process group is certainly empty: a cheap check that is false while a zombie is left. */
export function isGroupGone(launcher: number): boolean {
  try {
    process.kill(-launcher, 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

/**
 * Live members of the session of a dead launcher; empty if they do not belong to the run, since the pid may have been
 * reused. Throws when the process table cannot be read.
 */
export function listOrphans(launcher: number, directory: string): readonly number[] {
  if (launcher <= PID_INIT) return [];
  const members = listSessionProcesses([launcher]).get(launcher) ?? [];
  return members.some((pid) => belongsTo(pid, directory)) ? members : [];
}

/**
 * Signals the group with one call and members outside it one by one. No process is signalled twice: many programs
 * take a second SIGTERM as "quit at once".
 */
function signalSession(launcher: number, signal: NodeJS.Signals): void {
  if (launcher <= PID_INIT) return;
  const strays = tryReadProcessTable().filter(
    (row) => row.session === launcher && row.group !== launcher && !row.zombie,
  );
  signalProcess(-launcher, signal);
  for (const stray of strays) signalProcess(stray.pid, signal);
}

/** Sends a signal to one process; does nothing if it is gone or may not be signalled. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone, or not ours to signal: the next check of the process table shows.
  }
}
