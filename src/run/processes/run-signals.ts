/**
 * Signals to the command of a run, be it in a box or not: a box has sessions of its own, so its processes are found by
 * descent. Whether a signal is right is for the caller to know.
 */
import { findNamespace, type NamespaceHead } from '../freeze/pid-namespace.js';
import { listDescendants, tryReadProcessTable } from './process-table.js';
import type { RunHandle } from '../runner.js';
import { signalProcess, terminateSession } from './session.js';

interface Signalled {
  readonly handle: RunHandle;
  readonly box: NamespaceHead | undefined;
}

/** Asks all of a run to end: SIGTERM to each, then SIGCONT, because a stopped process would not notice. */
export function terminateRun({ handle, box }: Signalled): void {
  if (box === undefined) return terminateSession(handle.pid);
  const { members = [] } = findNamespace(handle.pid, box.root) ?? {};
  for (const signal of ['SIGTERM', 'SIGCONT'] as const) for (const pid of members) signalProcess(pid, signal);
}

/** Sends a signal to the command alone. The launcher's other children hear it too, and take no notice. */
export function signalCommand({ handle, box }: Signalled, signal: NodeJS.Signals): void {
  if (box === undefined) {
    const children = tryReadProcessTable().filter((row) => row.parent === handle.pid && !row.zombie);
    for (const { pid } of children) signalProcess(pid, signal);
    return;
  }
  const root = findNamespace(handle.pid, box.root)?.root;
  if (root !== undefined) signalProcess(root, signal);
}

/** The live processes of a run in a box, its launcher and guardian among them. */
export function listBoxed(launcher: number): readonly number[] {
  return listDescendants(launcher, tryReadProcessTable()).flatMap(({ pid, zombie }) => (zombie ? [] : [pid]));
}
