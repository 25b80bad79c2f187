/**
 * When a node was heard last, from what is retained of it: the broker dates nothing, so it is the writer's own clock that
 * tells, and clocks lie. A time that lies ahead of the reader, or before there was any tritmesh, is no time; then the
 * number of the node's run, which never falls, may still tell. What cannot be told is never taken for gone. Pure.
 */
import type { Stamped } from '../protocol/messages.js';

/** The stamp of something that a node said. */
export type Stamp = Pick<Stamped, 'ts' | 'boot'>;

/** No node wrote before this: 2025 began. A clock that says so was never set. */
const FIRST_MS = 1_735_689_600_000;
/** A writer's clock may be ahead of the reader's by so much, ms. */
const AHEAD_MS = 300_000;
/** A node that was not heard for so long is gone, ms. */
const GONE_MS = 86_400_000;

/** The latest believable time among some stamps, ms since 1970; `undefined` when none can be believed. */
export function dateLastWord(stamps: Iterable<Stamp>, wall: number): number | undefined {
  let latest: number | undefined;
  for (const { ts, boot } of stamps) {
    // Runs are numbered by the seconds since 1970 at their start, at the least.
    for (const at of [Date.parse(ts), boot * 1000]) {
      if (at >= FIRST_MS && at <= wall + AHEAD_MS) latest = Math.max(latest ?? at, at);
    }
  }
  return latest;
}

/** Whether a node that is not online is gone, and not only away for a while. */
export function isGone(lastSeen: number | undefined, wall: number): boolean {
  return lastSeen !== undefined && wall - lastSeen > GONE_MS;
}
