/**
 * How long to wait before the next attempt: doubling, with a ceiling, and random jitter to keep a whole mesh from
 * reconnecting in the same instant. Pure; it does not wait itself.
 */

/** The bounds of the wait, in milliseconds. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Half a second is too short for people to notice. The ceiling is low because, however long the broker was away, all
 * nodes must reconnect well within the time after its return in which owners give nothing up (5 s at the least). A
 * refused attempt costs almost nothing.
 */
export const BACKOFF_DEFAULT: Backoff = { firstMs: 500, maxMs: 2500 };

/**
 * Milliseconds to wait after the `failures`th failure in a row (1, 2, …): `firstMs` doubled with each further failure,
 * at most `maxMs`, and of that a random part between half and all. `random` returns [0, 1).
 */
export function backoffMs(failures: number, random: () => number, { firstMs, maxMs }: Backoff): number {
  const ceilingMs = Math.min(maxMs, firstMs * 2 ** (failures - 1));
  return ceilingMs * (0.5 + random() / 2);
}
