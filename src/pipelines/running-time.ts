/**
 * How long this node has run in all its lives, ms. What is kept for a while is kept for so much of this time: a wall clock that
 * was wrong and is set right, by fifty years at a boot without a battery, must not throw anything away. It is written down now
 * and then; what ran since the last time is not counted after a crash.
 */
import type { Clock } from '../clock/clock.js';

/** Gives the running time at this moment. */
export type RunningTime = () => number;

/** Counts on from what the journal knows. */
export function countRunning(clock: Pick<Clock, 'now'>, beforeMs: number): RunningTime {
  const startedAt = clock.now();
  return () => beforeMs + clock.now() - startedAt;
}
