/**
 * The mesh as one node sees it: its members, which of them are online, and the sum that all nodes derive. It contains
 * only what was received; receiving is an input.
 */
import { MEMBERS_MAX } from '../../protocol/limits.js';
import type { Direction, Message } from '../../protocol/messages.js';
import type { Member, MeshRules } from './member.js';
import { createTally, forgetTally, refreshLowest, refreshTally, tallyChange, type Tally } from './tally.js';

/**
 * All members by id, and their tally. Readers use it as a Map; only {@link stepMember} and {@link putMember} change it,
 * in place: a table is shared and never copied, whatever its size.
 */
export interface MemberTable extends ReadonlyMap<string, Member> {
  readonly tally: Tally;
}

/** Something received from or about a member. */
export type MeshInput =
  | { readonly type: 'AvailabilityHeard'; readonly node: string; readonly online: boolean }
  | { readonly type: 'InfoHeard'; readonly node: string; readonly info: Message<'info'> }
  /** `fresh`: published just now, not a retained message. */
  | { readonly type: 'StateHeard'; readonly node: string; readonly state: Message<'state'>; readonly fresh: boolean };

/** What every node derives from the same members. */
export interface MeshSum {
  /** The trits of all online members, added up: `plus` less `minus`. */
  readonly sum: number;
  /** The sum mod 3, in {0, 1, 2} for negative sums, too. */
  readonly residue: 0 | 1 | 2;
  /** Whether the residue is 0. */
  readonly invariant: boolean;
  /** What the sum asks of the mesh. */
  readonly direction: Direction;
  /** Number of online members. */
  readonly online: number;
  /** How many of them are PLUS (overloaded). */
  readonly plus: number;
  /** How many of them are ERGODIC (busy). */
  readonly ergodic: number;
  /** How many of them are MINUS (idle). */
  readonly minus: number;
}

/** Creates a table of these members. */
export function createMemberTable(members: Iterable<Member> = []): MemberTable {
  const byId = new Map<string, Member>();
  for (const member of members) byId.set(member.id, member);
  return Object.assign(byId, { tally: createTally() });
}

/** Handles one input; returns whether it changed the table. */
export function stepMember(members: MemberTable, input: MeshInput, now: number): boolean {
  const known = members.get(input.node);
  if (known === undefined && members.size >= MEMBERS_MAX && !evictMember(members)) return false;
  const next = changeMember(known ?? createMember(input.node), input, now);
  if (next === undefined) return false;
  putMember(members, next, now);
  return true;
}

/**
 * Whether a change should trigger a new decision about waiting items. Most states only repeat what is known with
 * slightly different ratios: those are considered at the next scheduled decision.
 */
export function isNews(before: Member | undefined, after: Member | undefined): boolean {
  if (before?.state === undefined || after?.state === undefined) return true;
  const { state: old } = before;
  const { state: now } = after;
  return (
    before.info !== after.info ||
    before.available !== after.available ||
    old.trit !== now.trit ||
    old.slots_free !== now.slots_free ||
    old.slots !== now.slots ||
    old.draining !== now.draining ||
    old.accepting !== now.accepting
  );
}

/** Adds a member or replaces it. */
export function putMember(members: MemberTable, member: Member, now: number): void {
  tallyChange(members.tally, members.get(member.id), member, now);
  asMutable(members).set(member.id, member);
}

/** Evicts a member that is offline or has never published a birth; false if there is none. */
function evictMember(members: MemberTable): boolean {
  for (const member of members.values()) {
    if (member.available && member.info !== undefined) continue;
    forgetTally(members.tally);
    return asMutable(members).delete(member.id);
  }
  return false;
}

/** The only place where a table becomes mutable. */
function asMutable(members: MemberTable): Map<string, Member> {
  return members as MemberTable & Map<string, Member>;
}

function createMember(id: string): Member {
  return {
    id,
    info: undefined,
    state: undefined,
    heardAt: 0,
    boot: -1,
    seq: -1,
    available: false,
    offlineSince: Number.NEGATIVE_INFINITY,
  };
}

/** The changed member; `undefined` if nothing changed. */
function changeMember(member: Member, input: MeshInput, now: number): Member | undefined {
  switch (input.type) {
    case 'AvailabilityHeard':
      if (input.online === member.available) return undefined;
      return { ...member, available: input.online, offlineSince: input.online ? Number.NEGATIVE_INFINITY : now };
    case 'InfoHeard':
      // The birth message of an earlier boot, replayed by somebody who kept it.
      if (member.info?.key === input.info.key && input.info.boot < member.boot) return undefined;
      // Another key is another machine: the numbers of the previous one say nothing about its messages.
      return member.info === undefined || member.info.key === input.info.key
        ? { ...member, info: input.info }
        : { ...member, info: input.info, state: undefined, boot: -1, seq: -1 };
    case 'StateHeard': {
      const { boot, seq } = input.state;
      if (boot < member.boot || (boot === member.boot && seq <= member.seq)) return undefined;
      // A node that publishes is online; the message that said so may have been lost.
      return {
        id: member.id,
        info: member.info,
        state: input.state,
        heardAt: now,
        boot,
        seq,
        available: input.fresh || member.available,
        offlineSince: input.fresh ? Number.NEGATIVE_INFINITY : member.offlineSince,
      };
    }
  }
}

/** The sum over the online members, its residue mod 3 and the resulting direction. */
export function deriveSum(members: MemberTable, now: number, rules: MeshRules): MeshSum {
  refreshTally(members.tally, members.values(), now, rules);
  const { plus, ergodic, minus } = members.tally;
  const sum = plus - minus;
  const residue = residueOf(sum);
  return {
    sum,
    residue,
    invariant: residue === 0,
    direction: directionOf(sum),
    online: plus + ergodic + minus,
    plus,
    ergodic,
    minus,
  };
}

/** The sum mod 3, in {0, 1, 2} for negative sums, too. */
export function residueOf(sum: number): 0 | 1 | 2 {
  const rest = ((sum % 3) + 3) % 3;
  return rest === 1 ? 1 : rest === 2 ? 2 : 0;
}

/** The seed's rebalancing rules: > 0 shed, < 0 wake, 0 rest. */
export function directionOf(sum: number): Direction {
  if (sum > 0) return 'shed';
  return sum < 0 ? 'wake' : 'rest';
}

/** The node that publishes `mesh/state`: the lowest id among the ERGODIC members, else among all online members. */
export function electReporter(members: MemberTable, now: number, rules: MeshRules): string | undefined {
  refreshLowest(members.tally, members.values(), now, rules);
  return members.tally.lowestErgodic ?? members.tally.lowest ?? undefined;
}
