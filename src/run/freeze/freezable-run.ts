/**
 * Describes to the freezer what can be frozen of a launcher's run: the processes in its pid namespace. A run without
 * one cannot be frozen.
 */
import { findNamespace } from './pid-namespace.js';
import type { Freezable } from './freezer.js';
import { measureAge, readMonotonicMs } from '../directory/run-directory.js';
import type { LiveRun } from '../live-run.js';

/** Returns the freezer's view of a run; `locate` gives a reason while the command is not running in a pid namespace. */
export function freezableOf({ run, directory, handle, namespace, startedAt }: LiveRun): Freezable {
  return {
    run,
    directory,
    isCopy: namespace?.kind === 'restored',
    locate: () => {
      if (namespace === undefined) return { reason: 'it was not started as a run that can be frozen' };
      const { init, root } = findNamespace(handle.pid, namespace.root) ?? {};
      if (init === undefined || root === undefined) return { reason: 'it has not begun, or has ended' };
      return { pid: root, init, directory, knownAs: namespace.knownAs };
    },
    spent: () => ({ cpuS: namespace?.cpuS ?? 0, wallMs: (namespace?.wallMs ?? 0) + measureTime(directory, startedAt) }),
  };
}

/** Milliseconds since it started here; by the wall clock if an older node version started it. */
function measureTime(directory: string, startedAt: number | undefined): number {
  return startedAt === undefined ? measureAge(directory) : Math.max(0, readMonotonicMs() - startedAt);
}
