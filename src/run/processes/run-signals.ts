/**
 * Sends signals to the command of a run. Processes in a pid namespace have sessions of their own, so they are found
 * by descent. Whether a signal is appropriate is for the caller to decide.
 */
import { findNamespace, type NamespaceHead } from '../freeze/pid-namespace.js';
import { isLegacyGuard } from '../legacy/legacy-launcher.js';
import { listDescendants, tryReadProcessTable } from './process-table.js';
import type { RunHandle } from '../runner.js';
import { signalProcess, terminateSession } from './session.js';

interface Signalled {
  readonly handle: RunHandle;
  readonly namespace: NamespaceHead | undefined;
}

/** Sends SIGTERM to all processes of a run, then SIGCONT, because a stopped process would not notice. */
export function terminateRun({ handle, namespace }: Signalled): void {
  if (namespace === undefined) return terminateSession(handle.pid);
  const { members = [] } = findNamespace(handle.pid, namespace.root) ?? {};
  for (const signal of ['SIGTERM', 'SIGCONT'] as const) for (const pid of members) signalProcess(pid, signal);
}

/** Sends a signal to the command alone; behind the launcher of an older version, to the launcher's children. */
export function signalCommand({ handle, namespace }: Signalled, signal: NodeJS.Signals): void {
  if (namespace !== undefined) {
    const root = findNamespace(handle.pid, namespace.root)?.root;
    if (root !== undefined) signalProcess(root, signal);
    return;
  }
  if (!isLegacyGuard(handle.pid)) return signalProcess(handle.pid, signal);
  const children = tryReadProcessTable().filter((row) => row.parent === handle.pid && !row.zombie);
  for (const { pid } of children) signalProcess(pid, signal);
}

/** The live descendants of a leader, and so everything in its pid namespace. */
export function listNamespaceProcesses(leader: number): readonly number[] {
  return listDescendants(leader, tryReadProcessTable()).flatMap(({ pid, zombie }) => (zombie ? [] : [pid]));
}
