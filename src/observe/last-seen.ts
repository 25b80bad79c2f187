/**
 * When a node was last seen, judged by its retained messages. The broker does not date them, so only the writer's clock
 * can be used, and clocks may be wrong. A time ahead of the reader, or before tritmesh existed, is ignored; the number
 * of the node's boot, which never decreases, may serve instead. A node without a usable time never counts as gone.
 * Pure.
 */
import type { Stamped } from '../protocol/messages.js';

/** The stamp of a message that a node published. */
export type SeenStamp = Pick<Stamped, 'ts' | 'boot'>;

/** No node existed before 2025: a clock that shows an earlier time was never set. */
const FIRST_MS = 1_735_689_600_000;
/** A writer's clock may be this far ahead of the reader's, ms. */
const AHEAD_MS = 300_000;
/** A node that was not seen for this long is gone, ms. */
const GONE_MS = 86_400_000;

/** The latest plausible time among some stamps, ms since 1970; `undefined` when none is plausible. */
export function findLastSeen(stamps: Iterable<SeenStamp>, wall: number): number | undefined {
  let latest: number | undefined;
  for (const { ts, boot } of stamps) {
    // The number of a boot is at least the time of its start, in seconds since 1970.
    for (const at of [Date.parse(ts), boot * 1000]) {
      if (at >= FIRST_MS && at <= wall + AHEAD_MS) latest = Math.max(latest ?? at, at);
    }
  }
  return latest;
}

/** Whether a node that is not online is gone for good rather than away for a while. `lastSeen` and `wall` in ms. */
export function isGone(lastSeen: number | undefined, wall: number): boolean {
  return lastSeen !== undefined && wall - lastSeen > GONE_MS;
}
