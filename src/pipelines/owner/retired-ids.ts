/**
 * The ids of items that were forgotten recently. The request that submitted an item stays valid for a while, and a
 * broker, or a client that kept it or lost its answer, may send it again: it must not start an item again that already
 * ran. The ids outlive a restart of the node.
 */
import { REQUEST_AGE_MS_MAX } from '../../protocol/limits.js';
import type { RunningTime } from './running-time.js';

/** Ids of retired items. */
export interface RetiredIds {
  add(item: string): void;
  has(item: string): boolean;
}

/** What the list needs. */
export interface RetiredIdsDeps {
  readonly running: RunningTime;
  /** What the journal knows: until when each id is remembered, in running time, ms. */
  readonly restored: ReadonlyMap<string, number>;
  /** Writes down until when an id is remembered; `undefined` removes it from the journal. */
  persist(item: string, until: number | undefined): void;
}

/** A request is accepted until its timestamp is this old, and its writer's clock may be ahead by as much. */
const KEPT_MS: number = 2 * REQUEST_AGE_MS_MAX;
/** More than a node can run in that time; the oldest are forgotten first. */
const RETIRED_MAX = 100_000;

/** Creates the list, with the ids of earlier boots. */
export function createRetiredIds({ running, restored, persist }: RetiredIdsDeps): RetiredIds {
  /** When each may be forgotten, running time in ms, earliest first. */
  const expiries = new Map<string, number>([...restored].toSorted(([, a], [, b]) => a - b));

  function forgetOld(now: number): void {
    for (const [old, until] of expiries) {
      if (until > now && expiries.size < RETIRED_MAX) return;
      expiries.delete(old);
      persist(old, undefined);
    }
  }

  return {
    add(item) {
      const now = running();
      expiries.delete(item);
      forgetOld(now);
      expiries.set(item, now + KEPT_MS);
      persist(item, now + KEPT_MS);
    },
    has: (item) => (expiries.get(item) ?? Number.NEGATIVE_INFINITY) > running(),
  };
}

/** Journal keys of forgotten items. */
export const RETIRED_PREFIX = 'retired/';
