/**
 * How long to wait before the next try: doubling, with a ceiling, and spread at random so that a whole mesh does not
 * come back to its broker in one instant. Pure; it waits for nothing itself.
 */

/** The bounds of the waiting, in milliseconds. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Half a second is below what people notice. However long the broker was away, all must be back well within the time in which
 * nobody gives anything up after its return; a try that is refused costs next to nothing.
 */
export const BACKOFF_DEFAULT: Backoff = { firstMs: 500, maxMs: 2500 };

/**
 * Milliseconds to wait after the `failures`th failure in a row (1, 2, …): between half and all of `firstMs` doubled
 * each time, at most `maxMs`. `random` gives [0, 1).
 */
export function backoffMs(failures: number, random: () => number, { firstMs, maxMs }: Backoff): number {
  const ceilingMs = Math.min(maxMs, firstMs * 2 ** (failures - 1));
  return ceilingMs * (0.5 + random() / 2);
}
