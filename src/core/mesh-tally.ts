/**
 * The tally of a view: how many members are online with which trit, and who of them has the lowest id. It is kept up to date
 * member by member, because a node hears of thousands and asks for the sum each time. It says what counting all of them anew
 * would say; when time may have changed that, it counts anew.
 */
import type { Trit } from '../protocol/messages.js';
import { isOnline, onlineUntil, type Member, type MeshRules } from './member.js';

/** What is known of the online members. Changed in place. */
export interface Tally {
  plus: number;
  ergodic: number;
  minus: number;
  /** Who has the lowest id, among all and among the ERGODIC; `null`: not known any more. */
  lowest: string | undefined | null;
  lowestErgodic: string | undefined | null;
  /** Before this moment nobody falls silent; what was counted holds until then. Monotonic ms. */
  validUntil: number;
  /** The rules that it was counted by. */
  rules: MeshRules | undefined;
}

/** A tally that counts at the first question. */
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

/** Brings the tally up to `now`: counts anew only when somebody may have fallen silent, or by other rules. */
export function refreshTally(tally: Tally, members: Iterable<Member>, now: number, rules: MeshRules): void {
  if (now < tally.validUntil && tally.rules?.offlineAfterMs === rules.offlineAfterMs) return;
  Object.assign(tally, createTally(), { rules, validUntil: Number.POSITIVE_INFINITY });
  for (const member of members) if (isOnline(member, now, rules)) enter(tally, member, rules);
}

/** Like {@link refreshTally}; the lowest ids are known afterwards, too. */
export function refreshLowest(tally: Tally, members: Iterable<Member>, now: number, rules: MeshRules): void {
  if (tally.lowest === null || tally.lowestErgodic === null) forgetTally(tally);
  refreshTally(tally, members, now, rules);
}

/** The next question counts anew. */
export function forgetTally(tally: Tally): void {
  tally.validUntil = Number.NEGATIVE_INFINITY;
}

/** A member was changed at `now`; `before` is `undefined` for a new one. */
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

/** Somebody who is online has a state. */
function tritOf(member: Member): Trit {
  return member.state?.trit ?? 0;
}

function lower(known: string | undefined | null, id: string): string | null {
  if (known === null) return null;
  return known === undefined || id < known ? id : known;
}
