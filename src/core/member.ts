/**
 * A member: a node as others see it, and whether it counts at a moment. It knows only what was heard.
 */
import type { Info, State } from '../protocol/messages.js';

/** A node as others see it. */
export interface Member {
  readonly id: string;
  /** What its last birth said; `undefined` until one was heard. */
  readonly info: Info | undefined;
  readonly state: State | undefined;
  /** Monotonic ms when the state was heard. */
  readonly heardAt: number;
  /** The run and the message the last state came from: an older one changes nothing. */
  readonly boot: number;
  readonly seq: number;
  /** `availability` says online. */
  readonly available: boolean;
  /** Monotonic ms since when it says offline. */
  readonly offlineSince: number;
}

/** What the view of a mesh goes by. */
export interface MeshRules {
  /** How long `offline` must stand before it is believed: a session take-over publishes the old will first. */
  readonly offlineAfterMs: number;
  /** The load ratio above which an owner leaves its own waiting items; the seed's if not given. */
  readonly plusAbove?: number;
  /** Only `self` can be reached, and why: the others are no candidates, whatever was heard of them. */
  readonly alone?: { readonly self: string; readonly reason: string };
}

/** Whether a member counts: it says online (or said offline only just now), and its state is young enough. */
export function isOnline(member: Member, now: number, rules: MeshRules): boolean {
  if (member.state === undefined) return false;
  if (!member.available && now - member.offlineSince >= rules.offlineAfterMs) return false;
  return now - member.heardAt <= member.state.ttl_s * 1000;
}

/** From when on a member that counts may count no more if nothing else is heard of it, monotonic ms. */
export function onlineUntil(member: Member, rules: MeshRules): number {
  const believedUntil = member.heardAt + (member.state?.ttl_s ?? 0) * 1000;
  return member.available ? believedUntil : Math.min(believedUntil, member.offlineSince + rules.offlineAfterMs);
}
