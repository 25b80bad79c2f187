/**
 * Computes the share of time in which the cores were busy from two counter readings. Pure.
 */

/** Busy time and total time of all cores together, in any unit. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/** The busy share between two readings, 0..100; `undefined` if no time was counted between them. */
export function shareBusy(before: CpuTimes | undefined, after: CpuTimes): number | undefined {
  if (before === undefined || after.total <= before.total) return undefined;
  const share = (100 * (after.busy - before.busy)) / (after.total - before.total);
  return Math.min(100, Math.max(0, share));
}
