/** What bench/ground/holder.mts says of itself. Pure. */

/** The longest time that it stood still, ms, of those that were over at or after `since`, ms since 1970; NaN when there is none. */
export function findLongestPause(text: string, since: number): number {
  const pauses = [...text.matchAll(/^paused (\d+) until (\d+)$/gm)]
    .filter(([, , until]) => Number(until) >= since)
    .map(([, ms]) => Number(ms));
  return pauses.length === 0 ? Number.NaN : Math.max(...pauses);
}
