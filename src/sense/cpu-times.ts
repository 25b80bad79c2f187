/**
 * The share of time in which the cores were busy, from two counts of it. Pure.
 */

/** Time that all cores together were busy, and time in all; any unit. */
export interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/** The busy share between two counts, 0..100; `undefined` when no time was counted between them. */
export function shareBusy(before: CpuTimes | undefined, after: CpuTimes): number | undefined {
  if (before === undefined || after.total <= before.total) return undefined;
  const share = (100 * (after.busy - before.busy)) / (after.total - before.total);
  return Math.min(100, Math.max(0, share));
}
