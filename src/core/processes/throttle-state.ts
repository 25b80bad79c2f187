/**
 * The state of a throttle: what is wanted, what was recorded, and its phase; and what the journal keeps of it. No
 * transition happens here.
 */
import type { Effect } from '../effects.js';
import type { ThrottleProcess, SavedThrottle } from './saved-throttle.js';

/** A throttle that is wanted. */
export interface ThrottleWish {
  /** `run/<owner>/<item>/<epoch>` or `pid/<pid>`. */
  readonly target: string;
  readonly processes: readonly ThrottleProcess[];
  readonly sharePercent: number;
  /** The process that represents the target in events. */
  readonly pid: number;
  readonly name: string;
  readonly item?: string | undefined;
  /** What it used before it was throttled, percent of one core, 0..100 times the cores. */
  readonly cpuPercent: number;
  readonly reason: string;
  /** The decision matrix, or the machine's own load, to which guests give way. */
  readonly cause: 'matrix' | 'own-load';
}

/**
 * `asked`: the present settings are being read; `setting`: recorded, perhaps already set; `set`; `lifting`: being
 * undone; `failed`: nothing is throttled, and it is tried again later.
 */
export type ThrottlePhase = 'asked' | 'setting' | 'set' | 'lifting' | 'failed';

/** One throttle. */
export interface ThrottleState {
  readonly wish: ThrottleWish;
  readonly phase: ThrottlePhase;
  readonly record: SavedThrottle | null;
  /** An event has reported that it is throttled. */
  readonly isReported: boolean;
  /** Why it is lifted, or why it could not be set; empty otherwise. */
  readonly reason: string;
  /** Undoing it failed and must be tried again. */
  readonly stuck: boolean;
  /** Setting it failed. */
  readonly faulty: boolean;
  /** Since when the throttle has not limited its target; `null` while it does. Monotonic ms. */
  readonly restingSince: number | null;
  /** When a failed throttle is tried again, monotonic ms. */
  readonly retryAt: number;
}

/** What survives a restart of the node. */
export interface ThrottleEntry {
  readonly wish: ThrottleWish;
  readonly record: SavedThrottle;
}

/** Prefix of the journal keys of throttles. */
export const THROTTLE_PREFIX = 'throttle/';

/** Writes a throttle to the journal; without a record, removes it. */
export function persistThrottle(wish: ThrottleWish, record: SavedThrottle | undefined): Effect {
  const value: ThrottleEntry | undefined = record === undefined ? undefined : { wish, record };
  return { type: 'Persist', key: `${THROTTLE_PREFIX}${wish.target}`, value };
}

/** Whether it may be limiting processes now. */
export function isHeldBack(throttled: ThrottleState): boolean {
  return throttled.phase === 'set' || throttled.phase === 'setting' || throttled.phase === 'lifting';
}
