/**
 * The ids of items that were forgotten a short while ago. The request that submitted one is taken as long as it is young, and a
 * broker, or somebody who kept it, may say it again: it must not start an item anew that ran already.
 */
import type { Clock } from '../clock/clock.js';
import { REQUEST_AGE_MS_MAX } from '../protocol/limits.js';

/** Ids of items that were retired. */
export interface RetiredIds {
  add(item: string): void;
  has(item: string): boolean;
}

/** A request is taken until its own time and its age have passed; its writer's clock may be ahead by as much. */
const KEPT_MS: number = 2 * REQUEST_AGE_MS_MAX;
/** More than a node can run in that time; the oldest are forgotten first. */
const RETIRED_MAX = 100_000;

/** Makes an empty list. */
export function createRetiredIds(clock: Clock): RetiredIds {
  /** When each may be forgotten, monotonic ms; the first to go stands first. */
  const untils = new Map<string, number>();
  return {
    add(item) {
      const now = clock.now();
      untils.delete(item);
      for (const [old, until] of untils) {
        if (until > now && untils.size < RETIRED_MAX) break;
        untils.delete(old);
      }
      untils.set(item, now + KEPT_MS);
    },
    has: (item) => (untils.get(item) ?? Number.NEGATIVE_INFINITY) > clock.now(),
  };
}
