/**
 * Derives the final event of a run once all its processes are gone: its exit code, or why there is none. It only
 * reads.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NAMESPACE_FILES, type NamespaceHead } from '../freeze/pid-namespace.js';
import type { RunEvidence } from '../run-evidence.js';
import type { RunEvent } from '../runner.js';

/** What the watch knows about a run that ended. */
export interface ConcludedRun {
  readonly run: string;
  readonly directory: string;
  readonly isAdopted: boolean;
  readonly stopReason: string | undefined;
  readonly isAsked: boolean;
  readonly namespace: NamespaceHead | undefined;
  readonly evidence: RunEvidence;
}

/**
 * Returns the final event of a run; `lifeMs`: how long it ran if nobody measured it better. The watchdog's reason takes
 * precedence over an exit code that its own signal caused. Throws when the run directory cannot be read.
 */
export function concludeRun(
  { run, directory, isAdopted, stopReason, isAsked, namespace, evidence }: ConcludedRun,
  reason: string,
  lifeMs: number,
  explain: (directory: string) => string,
): RunEvent {
  const { isStarted, exit, ended, ranMs = lifeMs } = evidence.readRemains();
  if (namespace?.kind === 'restored' && !existsSync(join(directory, NAMESPACE_FILES.restored)))
    return { type: 'RunFailed', run, reason: stopReason ?? ended ?? explain(directory) };
  if (!isStarted && !isAdopted && stopReason === undefined) return { type: 'RunFailed', run, reason };
  if (ended !== undefined) return { type: 'RunDied', run, reason: ended };
  // What this node killed has no exit code of its own.
  const isKilled = stopReason !== undefined && exit?.signal === 'SIGKILL';
  if (exit === undefined || isKilled) return { type: 'RunDied', run, reason };
  const cpuS = exit.cpuS + (namespace?.cpuS ?? 0);
  const runMs = ranMs + (namespace?.wallMs ?? 0);
  // An adopted run may have been signalled by an earlier node process.
  const untouched = stopReason === undefined && !isAdopted && !isAsked;
  return { type: 'RunExited', run, ...exit, cpuS, runMs, ...(untouched ? { untouched } : {}) };
}
