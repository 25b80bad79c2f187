/**
 * The ids of items that were forgotten a short while ago. The request that submitted one is taken as long as it is young, and a
 * broker, or somebody who kept it or lost its answer, may say it again: it must not start an item anew that ran already. They
 * outlive a restart of the node.
 */
import { REQUEST_AGE_MS_MAX } from '../protocol/limits.js';
import type { RunningTime } from './running-time.js';

/** Ids of items that were retired. */
export interface RetiredIds {
  add(item: string): void;
  has(item: string): boolean;
}

/** What the list is made of. */
export interface RetiredParts {
  readonly running: RunningTime;
  /** What the journal knows: until when each is remembered, running ms. */
  readonly restored: ReadonlyMap<string, number>;
  /** Writes down until when an id is remembered; `undefined` takes it out of the journal. */
  note(item: string, until: number | undefined): void;
}

/** A request is taken until its own time and its age have passed; its writer's clock may be ahead by as much. */
const KEPT_MS: number = 2 * REQUEST_AGE_MS_MAX;
/** More than a node can run in that time; the oldest are forgotten first. */
const RETIRED_MAX = 100_000;

/** Makes the list, with what an earlier run left. */
export function createRetiredIds({ running, restored, note }: RetiredParts): RetiredIds {
  /** When each may be forgotten, running ms; the first to go stands first. */
  const untils = new Map<string, number>([...restored].toSorted(([, a], [, b]) => a - b));

  function forgetOld(now: number): void {
    for (const [old, until] of untils) {
      if (until > now && untils.size < RETIRED_MAX) return;
      untils.delete(old);
      note(old, undefined);
    }
  }

  return {
    add(item) {
      const now = running();
      untils.delete(item);
      forgetOld(now);
      untils.set(item, now + KEPT_MS);
      note(item, now + KEPT_MS);
    },
    has: (item) => (untils.get(item) ?? Number.NEGATIVE_INFINITY) > running(),
  };
}

/** Journal keys of forgotten items. */
export const RETIRED_PREFIX = 'retired/';
