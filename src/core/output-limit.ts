/**
 * What becomes of a job that writes: it goes on, it is held until its reader has caught up, or it is ended because it writes more
 * than nobody reads. Pure; the runner measures and obeys.
 */
import { amountOf, formatBytes, type DiskAmount } from './disk-room.js';

/** What one look found. Bytes of stdout and stderr together. */
export interface OutputLook {
  readonly written: number;
  /** It wrote since the last look. */
  readonly grew: boolean;
  /** What somebody has taken of it; `undefined` while nobody reads. */
  readonly read: number | undefined;
  /** Room on the disk beyond the reserve; `undefined` if not known. */
  readonly room: number | undefined;
  readonly isHeld: boolean;
}

/** What is to be done. Before it is ended it is held for {@link PATIENCE_MS}: a reader may be about to say that it is there. */
export type OutputVerdict = { readonly go: true } | { readonly hold: true } | { readonly end: string };

/** Written and not read, at most, while somebody reads. */
export const WINDOW_BYTES: number = 32 * 1024 ** 2;
/** A reader speaks up at least so often; and who has just submitted a job has not spoken yet. */
export const PATIENCE_MS = 6000;
/** A job may write so much in any case: others may have filled the disk, and it must be able to say so. */
export const LEAST_BYTES: number = 1024 ** 2;

/** Judges one look. `limit`: what a job may write that nobody reads, bytes or a share of the room that there is for it. */
export function judgeOutput(look: OutputLook, limit: DiskAmount): OutputVerdict {
  const { written, read, room } = look;
  const isOverdue = (look.grew || look.isHeld) && written > LEAST_BYTES;
  if (isOverdue && room !== undefined && room <= 0) {
    return { end: `its output of ${formatBytes(written)} filled the disk down to the reserve` };
  }
  if (read !== undefined) {
    // Half a window more than it has is worth going on for.
    const most = look.isHeld ? WINDOW_BYTES / 2 : WINDOW_BYTES;
    return written - read > most ? { hold: true } : { go: true };
  }
  const bound = limitOutput(written, room, limit);
  if (!isOverdue || bound === undefined || written <= bound) return { go: true };
  return { end: `its output passed ${formatBytes(bound)} and nobody read it (limits.output)` };
}

/** What it has written counts as room that there was for it; a share of what is not known is not known. */
function limitOutput(written: number, room: number | undefined, limit: DiskAmount): number | undefined {
  const isShare = limit.percent < 100;
  if (room === undefined) return isShare ? undefined : Math.max(LEAST_BYTES, limit.bytes);
  return Math.max(LEAST_BYTES, amountOf(limit, Math.max(0, room) + written));
}
