/**
 * Freezes and thaws runs, one operation at a time for each: a thaw waits until the dump that it aborted has exited,
 * or that dump could stop the run again. Everything needed after a node crash is on disk: the image and its marker
 * files.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Checkpoint, ResourceUsage, DumpSubject } from '../../checkpoint/checkpoint.js';
import type { Clock } from '../../clock/clock.js';
import { NAMESPACE_FILES } from './pid-namespace.js';
import type { RunEvent } from '../runner.js';

/** A run that may be frozen. */
export interface Freezable {
  readonly run: string;
  readonly directory: string;
  /** It was restored here and stays stopped until it is thawed. */
  readonly isCopy: boolean;
  /** Its live processes, or the reason why there is nothing to freeze. */
  locate(): DumpSubject | { readonly reason: string };
  /** Resources used earlier, not counting what its live processes show. */
  spent(): ResourceUsage;
}

/** Freezes and thaws the runs of one runner; the outcome is reported as an event. */
export interface Freezer {
  freeze(target: Freezable): void;
  thaw(target: Freezable): void;
  /** Whether it is stopped on purpose: frozen, or a copy that was not thawed yet. */
  isStill(target: Freezable): boolean;
  /** Aborts any operation in progress and calls `then` once that has exited. */
  settle(target: Freezable, then: () => void): void;
}

/** Creates the freezer of one runner; `tell` receives RunFrozen, FreezeFailed and RunThawed. */
export function createFreezer(clock: Clock, checkpoint: Checkpoint, tell: (event: RunEvent) => void): Freezer {
  /** Dumps started by this node process, each with the callbacks waiting for its end. */
  const dumps = new Map<string, (() => void)[]>();

  function freeze(target: Freezable): void {
    const { run, directory } = target;
    const from = clock.now();
    const subject = target.locate();
    if ('reason' in subject) return tell({ type: 'FreezeFailed', run, reason: subject.reason });
    if (dumps.has(run)) return;
    const image = checkpoint.read(directory);
    if (image !== null && checkpoint.isStopped(subject)) {
      return tell({ type: 'RunFrozen', run, imageBytes: image.imageBytes, tookMs: clock.now() - from });
    }
    dumps.set(run, []);
    // A dump left unfinished by an earlier node process is aborted and started again.
    checkpoint.abandon(directory, () => {
      if (checkpoint.discard(directory)) checkpoint.signal(subject, 'SIGCONT');
      checkpoint.dump(subject, target.spent(), (dumped) => {
        const waiting = dumps.get(run) ?? [];
        dumps.delete(run);
        if (!dumped.ok) tell({ type: 'FreezeFailed', run, reason: dumped.reason });
        else if (waiting.length === 0)
          tell({ type: 'RunFrozen', run, imageBytes: dumped.imageBytes, tookMs: clock.now() - from });
        for (const go of waiting) go();
      });
    });
  }

  function settle({ run, directory }: Freezable, then: () => void): void {
    checkpoint.abandon(directory, () => {
      const waiting = dumps.get(run);
      if (waiting === undefined) then();
      else waiting.push(then);
    });
  }

  function thaw(target: Freezable): void {
    const { run, directory, isCopy } = target;
    // Nothing has dumped a copy that never ran, and looking for a criu among all processes takes milliseconds.
    const isFirst = isCopy && !existsSync(join(directory, NAMESPACE_FILES.thawed));
    const settled = isFirst ? (then: () => void): void => then() : (then: () => void): void => settle(target, then);
    settled(() => {
      if (isCopy) writeFileSync(join(directory, NAMESPACE_FILES.thawed), '');
      checkpoint.discard(directory);
      const subject = target.locate();
      if (!('reason' in subject)) checkpoint.signal(subject, 'SIGCONT');
      tell({ type: 'RunThawed', run });
    });
  }

  return {
    freeze,
    thaw,
    settle,
    isStill: (target) => {
      if (target.isCopy && !existsSync(join(target.directory, NAMESPACE_FILES.thawed))) return true;
      const subject = target.locate();
      return !('reason' in subject) && checkpoint.read(target.directory) !== null && checkpoint.isStopped(subject);
    },
  };
}
