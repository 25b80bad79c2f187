/** What of a run that a launcher started can be frozen: the processes in its box. Runs without a box cannot. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { findNamespace } from './pid-namespace.js';
import type { Freezable } from './freezer.js';
import { RUN_FILES } from '../launch/launcher.js';
import { readMonotonicMs } from '../directory/run-directory.js';
import type { LiveRun } from '../run-watch.js';

/** Describes a run to the freezer. */
export function freezableOf({ run, directory, handle, box, startedAt }: LiveRun): Freezable {
  return {
    run,
    directory,
    isCopy: box?.kind === 'restored',
    locate: () => {
      if (box === undefined) return { reason: 'it was not started as a run that can be frozen' };
      const { init, root } = findNamespace(handle.pid, box.root) ?? {};
      if (init === undefined || root === undefined) return { reason: 'it has not begun, or has ended' };
      return { pid: root, init, directory, knownAs: box.knownAs };
    },
    spent: () => ({ cpuS: box?.cpuS ?? 0, wallMs: (box?.wallMs ?? 0) + measureAge(directory, startedAt) }),
  };
}

/** Milliseconds since its start here; by the wall clock where a node before this one started it. */
function measureAge(directory: string, startedAt: number | undefined): number {
  if (startedAt !== undefined) return Math.max(0, readMonotonicMs() - startedAt);
  const begun = statSync(join(directory, RUN_FILES.started), { throwIfNoEntry: false })?.mtimeMs;
  return begun === undefined ? 0 : Math.max(0, Date.now() - begun);
}
