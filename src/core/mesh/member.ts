/** A member: a node as the others see it, and whether it counts as online at a given time. */
import type { Info, State } from '../../protocol/messages.js';

/** A node as the others see it. */
export interface Member {
  /** Its id, `[a-z0-9-]{1,32}`. */
  readonly id: string;
  /** Its last birth message; `undefined` until one was received. */
  readonly info: Info | undefined;
  /** Its last state; `undefined` until one was received under its present key. */
  readonly state: State | undefined;
  /** When the state was received, monotonic ms. */
  readonly heardAt: number;
  /** Boot of the last state, -1 without one: a message of an earlier boot changes nothing. */
  readonly boot: number;
  /** Number of the last state within that boot, -1 without one: an earlier message changes nothing. */
  readonly seq: number;
  /** Its `availability` topic says online. */
  readonly available: boolean;
  /** Since when `availability` says offline, monotonic ms; `-Infinity` while it does not say so. */
  readonly offlineSince: number;
}

/** Rules by which members are judged. */
export interface MeshRules {
  /** How long `offline` must last before it is believed, ms: a session take-over publishes the old will first. */
  readonly offlineAfterMs: number;
  /** The load ratio above which an owner no longer runs its own waiting items; defaults to the trit rules. */
  readonly plusAbove?: number;
  /** Set when only `self` can be reached, and why: other members are not candidates, whatever was heard from them. */
  readonly alone?: { readonly self: string; readonly reason: string };
}

/**
 * Whether a member is online: it says so (or has said offline only for a short time), and its state is recent enough.
 */
export function isOnline(member: Member, now: number, rules: MeshRules): boolean {
  if (member.state === undefined) return false;
  if (!member.available && now - member.offlineSince >= rules.offlineAfterMs) return false;
  return now - member.heardAt <= member.state.ttl_s * 1000;
}

/** Until when an online member stays online if nothing else is heard from it, monotonic ms. */
export function onlineUntil(member: Member, rules: MeshRules): number {
  const believedUntil = member.heardAt + (member.state?.ttl_s ?? 0) * 1000;
  return member.available ? believedUntil : Math.min(believedUntil, member.offlineSince + rules.offlineAfterMs);
}
