/**
 * Decides about a job by its output: it goes on, it is held until its reader has caught up, or it is ended because it
 * has written too much that nobody reads. The runner measures and obeys.
 */
import { amountOf, formatBytes, type DiskAmount } from './disk-space.js';

/** One sample. Bytes of stdout and stderr together. */
export interface OutputSample {
  readonly written: number;
  /** It has written since the last sample. */
  readonly grew: boolean;
  /** How much of it has been read; `undefined` while nobody reads. */
  readonly read: number | undefined;
  /** Free disk space beyond the reserve; `undefined` if not known. */
  readonly room: number | undefined;
  readonly isHeld: boolean;
}

/** The verdict. Before a job is ended it is held for {@link PATIENCE_MS}: a reader may be about to announce itself. */
export type OutputVerdict = { readonly go: true } | { readonly hold: true } | { readonly end: string };

/** Most bytes written and not yet read while there is a reader. */
export const WINDOW_BYTES: number = 32 * 1024 ** 2;
/** A reader reports at least this often; one that has just submitted a job may not have reported yet. */
export const PATIENCE_MS = 6000;
/** A job may always write this much: even on a disk that others filled it must be able to report an error. */
export const LEAST_BYTES: number = 1024 ** 2;

/** Judges one sample. `limit`: what a job may write unread, in bytes or as a share of the space available to it. */
export function judgeOutput(sample: OutputSample, limit: DiskAmount): OutputVerdict {
  const { written, read, room: space } = sample;
  const isOverdue = (sample.grew || sample.isHeld) && written > LEAST_BYTES;
  if (isOverdue && space !== undefined && space <= 0) {
    return { end: `its output of ${formatBytes(written)} filled the disk down to the reserve` };
  }
  if (read !== undefined) {
    // A held job goes on only when the reader has emptied half a window.
    const most = sample.isHeld ? WINDOW_BYTES / 2 : WINDOW_BYTES;
    return written - read > most ? { hold: true } : { go: true };
  }
  const bound = limitOutput(written, space, limit);
  if (!isOverdue || bound === undefined || written <= bound) return { go: true };
  return { end: `its output exceeded ${formatBytes(bound)} and nobody read it (limits.output)` };
}

/** What it has written counts as available space, too. A share of an unknown space is unknown. */
function limitOutput(written: number, space: number | undefined, limit: DiskAmount): number | undefined {
  const isShare = limit.percent < 100;
  if (space === undefined) return isShare ? undefined : Math.max(LEAST_BYTES, limit.bytes);
  return Math.max(LEAST_BYTES, amountOf(limit, Math.max(0, space) + written));
}
