/**
 * A throttle as the node holds it: what is wanted, what was recorded, and how far it is. What the journal keeps of it. No
 * transition happens here.
 */
import type { Effect } from './effects.js';
import type { ThrottleProcess, ThrottleRecord } from './throttle-record.js';

/** A throttle that is wanted now. */
export interface ThrottleWish {
  /** `run/<owner>/<item>/<epoch>` or `pid/<pid>`. */
  readonly target: string;
  readonly processes: readonly ThrottleProcess[];
  readonly sharePercent: number;
  /** The process that stands for it. */
  readonly pid: number;
  readonly name: string;
  readonly item?: string | undefined;
  /** What it used of one core before it was throttled, 0..100 times the cores. */
  readonly cpuPercent: number;
  readonly reason: string;
  /** The decision matrix, or guests that give way to the machine's own load. */
  readonly cause: 'matrix' | 'own-load';
}

/**
 * `asked`: what is there is being read; `setting`: recorded, maybe set; `set`; `lifting`: being undone; `failed`: nothing is
 * throttled, and it is tried again later.
 */
export type ThrottlePhase = 'asked' | 'setting' | 'set' | 'lifting' | 'failed';

/** One throttle. */
export interface Throttled {
  readonly wish: ThrottleWish;
  readonly phase: ThrottlePhase;
  readonly record: ThrottleRecord | null;
  /** An event said that it is throttled. */
  readonly told: boolean;
  /** Why it is lifted, or why it could not be set or lifted; empty when all is well. */
  readonly reason: string;
  /** Undoing failed and is to be tried again. */
  readonly stuck: boolean;
  /** It could not be set. */
  readonly faulty: boolean;
  /** Since when its target has not been held down by it; `null` while it is. Monotonic ms. */
  readonly restingSince: number | null;
  /** When a failed one is tried again, monotonic ms. */
  readonly retryAt: number;
}

/** What survives a restart of the node. */
export interface ThrottledRecord {
  readonly wish: ThrottleWish;
  readonly record: ThrottleRecord;
}

/** What journal keys of throttles begin with. */
export const THROTTLE_PREFIX = 'throttle/';

/** Writes a throttle to the journal, or takes it out. */
export function persistThrottle(wish: ThrottleWish, record: ThrottleRecord | undefined): Effect {
  const value: ThrottledRecord | undefined = record === undefined ? undefined : { wish, record };
  return { type: 'Persist', key: `${THROTTLE_PREFIX}${wish.target}`, value };
}

/** Whether processes may be held back by it now. */
export function isHeldBack(throttled: Throttled): boolean {
  return throttled.phase === 'set' || throttled.phase === 'setting' || throttled.phase === 'lifting';
}
