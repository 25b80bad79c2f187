/**
 * Turns the promises inside the transfer adapters into the callbacks of the ports. `done` is called exactly once, and
 * never before the call that it belongs to has returned.
 */
import { describeError, hasCode } from '../os/errors.js';
import type { Outcome } from './transfer.js';

/** A failure that a retry cannot fix; its message is a sentence for people. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/**
 * Reports the result of `work` to `done`. An exception thrown by `done` is a programming error and ends the process.
 */
export function toOutcome<T>(work: Promise<T>, done: (ended: Outcome<T>) => void): void {
  void report(work, done);
}

async function report<T>(work: Promise<T>, done: (ended: Outcome<T>) => void): Promise<void> {
  done(await judge(work));
}

async function judge<T>(work: Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    const lacksSpace = isSpaceFault(error);
    return {
      ok: false,
      reason: describeError(error),
      final: error instanceof Refused,
      ...(lacksSpace ? { lacksSpace } : {}),
      ...(isUncalled(error) ? { unreached: true } : {}),
    };
  }
}

/** Checked by property: `Unreachable` is defined in `peer-connect.ts`, a layer above this file. */
function isUncalled(error: unknown): boolean {
  return error instanceof Error && 'isUncalled' in error && error.isUncalled === true;
}

/** Whether the disk is full or a quota exhausted. */
export function isSpaceFault(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT');
}
