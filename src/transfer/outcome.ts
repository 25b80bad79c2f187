/**
 * How the promises inside the transfer adapters become the callbacks of the ports. `done` is called exactly once, and
 * never before the call that it belongs to has returned.
 */
import { describeError, hasCode } from '../os/errors.js';
import type { Outcome } from './transfer.js';

/** A failure that trying again cannot help; its message is a sentence for people. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Tells `done` how `work` ended. What `done` itself throws is a programmer's error and ends the process. */
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
    const lacksRoom = isRoomFault(error);
    return {
      ok: false,
      reason: describeError(error),
      final: error instanceof Refused,
      ...(lacksRoom ? { lacksRoom } : {}),
      ...(isUncalled(error) ? { unreached: true } : {}),
    };
  }
}

/** See `peer-connect.ts`, which stands above this. */
function isUncalled(error: unknown): boolean {
  return error instanceof Error && 'isUncalled' in error && error.isUncalled === true;
}

/** Whether the disk, or somebody's share of it, is full. */
export function isRoomFault(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT');
}
