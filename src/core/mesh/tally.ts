/**
 * The tally of a member table: how many members are online with each trit, and which of them has the lowest id. It is
 * updated member by member, because a node may hear from thousands and needs the sum each time. It always equals a full
 * count; when passing time may have changed that, it counts again.
 */
import type { Trit } from '../../protocol/messages.js';
import { isOnline, onlineUntil, type Member, type MeshRules } from './member.js';

/** Counts of the online members. Changed in place. */
export interface Tally {
  plus: number;
  ergodic: number;
  minus: number;
  /** The lowest id among all members and among the ERGODIC ones; `null`: must be determined again. */
  lowest: string | undefined | null;
  lowestErgodic: string | undefined | null;
  /** The counts are valid before this time: no member can expire earlier. Monotonic ms. */
  validUntil: number;
  /** The rules that applied to the count. */
  rules: MeshRules | undefined;
}

/** Creates a tally that counts when it is first read. */
export function createTally(): Tally {
  return {
    plus: 0,
    ergodic: 0,
    minus: 0,
    lowest: undefined,
    lowestErgodic: undefined,
    validUntil: Number.NEGATIVE_INFINITY,
    rules: undefined,
  };
}

/** Brings the tally up to `now`; counts again only if a member may have expired or the rules have changed. */
export function refreshTally(tally: Tally, members: Iterable<Member>, now: number, rules: MeshRules): void {
  if (now < tally.validUntil && tally.rules?.offlineAfterMs === rules.offlineAfterMs) return;
  Object.assign(tally, createTally(), { rules, validUntil: Number.POSITIVE_INFINITY });
  for (const member of members) if (isOnline(member, now, rules)) enter(tally, member, rules);
}

/** Like {@link refreshTally}, but also determines the lowest ids. */
export function refreshLowest(tally: Tally, members: Iterable<Member>, now: number, rules: MeshRules): void {
  if (tally.lowest === null || tally.lowestErgodic === null) forgetTally(tally);
  refreshTally(tally, members, now, rules);
}

/** Invalidates the tally: the next read counts again. */
export function forgetTally(tally: Tally): void {
  tally.validUntil = Number.NEGATIVE_INFINITY;
}

/** Updates the tally for a member that changed at `now`; `before` is `undefined` for a new one. */
export function tallyChange(tally: Tally, before: Member | undefined, after: Member, now: number): void {
  const { rules } = tally;
  if (rules === undefined || now >= tally.validUntil) return forgetTally(tally);
  const counted = before !== undefined && isOnline(before, now, rules);
  const counts = isOnline(after, now, rules);
  if (counted && counts && before.state?.trit === after.state?.trit) {
    tally.validUntil = Math.min(tally.validUntil, onlineUntil(after, rules));
    return;
  }
  if (counted) leave(tally, before);
  if (counts) enter(tally, after, rules);
}

function enter(tally: Tally, member: Member, rules: MeshRules): void {
  const trit = tritOf(member);
  add(tally, trit, 1);
  tally.validUntil = Math.min(tally.validUntil, onlineUntil(member, rules));
  tally.lowest = lower(tally.lowest, member.id);
  if (trit === 0) tally.lowestErgodic = lower(tally.lowestErgodic, member.id);
}

function leave(tally: Tally, member: Member): void {
  const trit = tritOf(member);
  add(tally, trit, -1);
  if (tally.lowest === member.id) tally.lowest = null;
  if (tally.lowestErgodic === member.id) tally.lowestErgodic = null;
}

function add(tally: Tally, trit: Trit, count: 1 | -1): void {
  if (trit === 1) tally.plus += count;
  else if (trit === -1) tally.minus += count;
  else tally.ergodic += count;
}

/** The trit of an online member, which always has a state. */
function tritOf(member: Member): Trit {
  return member.state?.trit ?? 0;
}

function lower(known: string | undefined | null, id: string): string | null {
  if (known === null) return null;
  return known === undefined || id < known ? id : known;
}
