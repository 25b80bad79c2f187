/**
 * The times of a playback that must not last longer than a limit: short pauses stay as they were, long ones are cut to
 * a cap that is the same for all. Pure.
 */

/** Longest pause in a playback, ms: nothing happens meanwhile that a viewer could read. */
export const PAUSE_MAX_MS = 1500;

/** The playback. All times are since its start. */
export interface Playback {
  /** When each line appears, ms since the start, in the given order; never decreasing. */
  readonly timesMs: readonly number[];
  /** The cap on pauses, ms; at most `PAUSE_MAX_MS`. */
  readonly capMs: number;
}

/** Shortens pauses, also the one before the first line, so that the last line appears by `limitMs`. */
export function shortenPauses(timesMs: readonly number[], limitMs: number): Playback {
  const pauses = timesMs.map((time, index) => Math.max(0, time - (timesMs[index - 1] ?? 0)));
  const capMs = findCap(pauses, limitMs);
  let time = 0;
  return { capMs, timesMs: pauses.map((pause) => (time += Math.min(pause, capMs))) };
}

/** The largest cap that keeps the sum of all pauses within the limit. */
function findCap(pauses: readonly number[], limitMs: number): number {
  let left = limitMs;
  for (const [index, pause] of pauses.toSorted((a, b) => a - b).entries()) {
    // As if this pause and all longer ones were cut to an equal share of the time that is left.
    const share = left / (pauses.length - index);
    if (pause > share) return Math.min(share, PAUSE_MAX_MS);
    left -= pause;
  }
  return PAUSE_MAX_MS;
}
