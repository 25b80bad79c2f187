/**
 * How the promises inside the transfer adapters become the callbacks of the ports. `done` is called exactly once, and
 * never before the call that it belongs to has returned.
 */
import type { Ended } from './transfer.js';

/** A failure that trying again cannot help; its message is a sentence for people. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Tells `done` how `work` ended. What `done` itself throws is a programmer's error and ends the process. */
export function settle<T>(work: Promise<T>, done: (ended: Ended<T>) => void): void {
  void tell(work, done);
}

async function tell<T>(work: Promise<T>, done: (ended: Ended<T>) => void): Promise<void> {
  done(await judge(work));
}

async function judge<T>(work: Promise<T>): Promise<Ended<T>> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    const lacksRoom = ROOM_FAULTS.has(errorCode(error));
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

/** Faults of a disk, or of somebody's share of it, that is full. */
export const ROOM_FAULTS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** The message of whatever was thrown. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of a system error (`ENOENT` …), or the empty string. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
