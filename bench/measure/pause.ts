/** Reads the output of bench/setup/holder.mts. Pure. */

/** The longest pause that ended at or after `since` (ms since 1970), ms; NaN if there is none. */
export function findLongestPause(text: string, since: number): number {
  const pauses = [...text.matchAll(/^paused (\d+) until (\d+)$/gm)]
    .filter(([, , until]) => Number(until) >= since)
    .map(([, ms]) => Number(ms));
  return pauses.length === 0 ? Number.NaN : Math.max(...pauses);
}
