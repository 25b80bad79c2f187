/**
 * How long this node has run in all its boots, ms. Retention is counted in this time: a wall clock that was fifty years
 * off, at a boot without a battery, and is then corrected must not throw anything away. It is written down at
 * intervals; after a crash, the time since the last write is not counted.
 */
import type { Clock } from '../../clock/clock.js';

/** Returns the running time, ms. */
export type RunningTime = () => number;

/** Continues from the running time in the journal. */
export function createRunningTime(clock: Pick<Clock, 'now'>, beforeMs: number): RunningTime {
  const startedAt = clock.now();
  return () => beforeMs + clock.now() - startedAt;
}
