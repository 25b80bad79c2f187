/**
 * The mesh as one node sees it: its members, who of them is online, and the sum that all of them derive. It knows only
 * what was heard; hearing is an input.
 */
import { MEMBERS_MAX } from '../protocol/limits.js';
import type { Direction, Message } from '../protocol/messages.js';
import type { Member, MeshRules } from './member.js';
import { createTally, forgetTally, refreshLowest, refreshTally, tallyChange, type Tally } from './mesh-tally.js';

/**
 * All members, by id, and their tally. To be read like a Map; changed in place by {@link stepMesh} and {@link putMember} alone: a
 * view is shared, never copied, whatever its size.
 */
export interface MeshView extends ReadonlyMap<string, Member> {
  readonly tally: Tally;
}

/** What was heard of a member. */
export type MeshInput =
  | { readonly type: 'AvailabilityHeard'; readonly node: string; readonly online: boolean }
  | { readonly type: 'InfoHeard'; readonly node: string; readonly info: Message<'info'> }
  /** `fresh`: said just now, not replayed by the broker. */
  | { readonly type: 'StateHeard'; readonly node: string; readonly state: Message<'state'>; readonly fresh: boolean };

/** What all nodes derive from the same members. */
export interface MeshSum {
  readonly sum: number;
  readonly residue: 0 | 1 | 2;
  readonly invariant: boolean;
  readonly direction: Direction;
  readonly online: number;
  readonly plus: number;
  readonly ergodic: number;
  readonly minus: number;
}

/** Makes a view of these members. */
export function createView(members: Iterable<Member> = []): MeshView {
  const byId = new Map<string, Member>();
  for (const member of members) byId.set(member.id, member);
  return Object.assign(byId, { tally: createTally() });
}

/** Takes in what was heard; says whether it changed anything. */
export function stepMesh(view: MeshView, input: MeshInput, now: number): boolean {
  const known = view.get(input.node);
  if (known === undefined && view.size >= MEMBERS_MAX && !dropGone(view)) return false;
  const next = changeMember(known ?? createMember(input.node), input, now);
  if (next === undefined) return false;
  putMember(view, next, now);
  return true;
}

/**
 * Whether a change is worth a look at what waits. Most states say again what is known, with ratios that wandered: those are
 * read when the next look is due.
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

/** Puts a member in place of what was known of it. */
export function putMember(view: MeshView, member: Member, now: number): void {
  tallyChange(view.tally, view.get(member.id), member, now);
  open(view).set(member.id, member);
}

/** Makes room by forgetting a member that is gone, or that only a bare word told of; false when there is none. */
function dropGone(view: MeshView): boolean {
  for (const member of view.values()) {
    if (member.available && member.info !== undefined) continue;
    forgetTally(view.tally);
    return open(view).delete(member.id);
  }
  return false;
}

/** The one door through which a view is changed. */
function open(view: MeshView): Map<string, Member> {
  return view as MeshView & Map<string, Member>;
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

/** The changed member; `undefined` when nothing changed. */
function changeMember(member: Member, input: MeshInput, now: number): Member | undefined {
  switch (input.type) {
    case 'AvailabilityHeard':
      if (input.online === member.available) return undefined;
      return { ...member, available: input.online, offlineSince: input.online ? Number.NEGATIVE_INFINITY : now };
    case 'InfoHeard':
      // The birth of an earlier run, said again by somebody who kept it.
      if (member.info?.key === input.info.key && input.info.boot < member.boot) return undefined;
      // Another key is another machine: what the one before it numbered says nothing about this one.
      return member.info === undefined || member.info.key === input.info.key
        ? { ...member, info: input.info }
        : { ...member, info: input.info, state: undefined, boot: -1, seq: -1 };
    case 'StateHeard': {
      const { boot, seq } = input.state;
      if (boot < member.boot || (boot === member.boot && seq <= member.seq)) return undefined;
      // Whoever speaks is there: the word that it came online may have been lost.
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

/** The sum over the online members, its residue mod 3 and the direction it gives. */
export function deriveSum(view: MeshView, now: number, rules: MeshRules): MeshSum {
  refreshTally(view.tally, view.values(), now, rules);
  const { plus, ergodic, minus } = view.tally;
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

/** The sum mod 3, in {0, 1, 2} for negative sums too. */
export function residueOf(sum: number): 0 | 1 | 2 {
  const rest = ((sum % 3) + 3) % 3;
  return rest === 1 ? 1 : rest === 2 ? 2 : 0;
}

/** The seed's rebalancing rules: > 0 shed, < 0 wake, 0 rest. */
export function directionOf(sum: number): Direction {
  if (sum > 0) return 'shed';
  return sum < 0 ? 'wake' : 'rest';
}

/** Who publishes `mesh/state`: the lowest id among the ERGODIC members, else among all that are online. */
export function electReporter(view: MeshView, now: number, rules: MeshRules): string | undefined {
  refreshLowest(view.tally, view.values(), now, rules);
  return view.tally.lowestErgodic ?? view.tally.lowest ?? undefined;
}
