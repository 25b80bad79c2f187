/**
 * Freezes and thaws runs, one step at a time for each: a thaw waits until the dump that it ended is gone, so that
 * nothing is stopped behind its back. What it needs to know after a crash of the node is on the disk: the image and its
 * marks.
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
  /** It was restored here: it is stopped until it is thawed. */
  readonly isCopy: boolean;
  /** Its live processes, or why there are none to freeze. */
  locate(): DumpSubject | { readonly reason: string };
  /** What it used before, not counting what its live processes show. */
  spent(): ResourceUsage;
}

/** Freezes and thaws. */
export interface Freezer {
  freeze(target: Freezable): void;
  thaw(target: Freezable): void;
  /** Whether it is stopped on purpose: frozen, or a copy that was not continued yet. */
  isStill(target: Freezable): boolean;
  /** Ends what is under way and calls `then` when that is gone. */
  settle(target: Freezable, then: () => void): void;
}

/** Creates the freezer of one runner. */
export function createFreezer(clock: Clock, checkpoint: Checkpoint, tell: (event: RunEvent) => void): Freezer {
  /** Dumps that this life of the node began, and who waits for their end. */
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
    // What an earlier life of the node left half done is ended, and done anew.
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
    settle(target, () => {
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
