/**
 * Decides which key is admitted under an id. A member's first key is pinned. Another key is accepted under that id only
 * after the pinned one has been silent for a long time: publishing that a member is offline must not be enough to
 * replace it.
 */
import { MEMBERS_MAX } from '../../protocol/limits.js';

/**
 * Most pins that are kept. Anyone can publish a birth under any id, hence the limit; the member table has the same one.
 */
const PINS_MAX: number = MEMBERS_MAX;

/** How long a member must have been silent before another key may take its id, ms. */
const SILENCE_MS = 10 * 60 * 1000;

/** What the verdict depends on. */
export interface KeyContext {
  readonly pins: ReadonlyMap<string, string>;
  /** How long this member has been silent, ms. */
  silentMs(node: string): number;
  /** Whether work is shared with this member: the direct path identifies it by its key. */
  isPartner(node: string): boolean;
}

/** The verdict on a key: why it is rejected, or whether it is pinned now and which pin is dropped for it. */
export type KeyVerdict =
  | { readonly admitted: false; readonly reason: string }
  | { readonly admitted: true; readonly isNew: boolean; readonly drops?: string };

/** Decides whether a key may represent this member; its holder has already proven to own it. */
export function judgeKey(node: string, key: string, context: KeyContext): KeyVerdict {
  const pinned = context.pins.get(node);
  if (pinned === key) return { admitted: true, isNew: false };
  if (pinned !== undefined) {
    if (isReplaceable(node, context)) return { admitted: true, isNew: true };
    const reason = `key differs from the one that ${node} was first seen with; it is accepted once that one has been silent for 10 minutes`;
    return { admitted: false, reason };
  }
  if (context.pins.size < PINS_MAX) return { admitted: true, isNew: true };
  // A member that has been silent for this long may lose its id to another key anyway.
  for (const other of context.pins.keys()) {
    if (isReplaceable(other, context)) return { admitted: true, isNew: true, drops: other };
  }
  return { admitted: false, reason: `key cannot be kept: there are ${PINS_MAX} already` };
}

function isReplaceable(node: string, { isPartner, silentMs }: KeyContext): boolean {
  return !isPartner(node) && silentMs(node) >= SILENCE_MS;
}
