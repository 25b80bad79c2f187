/**
 * The mesh as one node sees it: its members, who of them is online, and the sum that all of them derive. It knows only
 * what was heard; hearing is an input.
 */
import { MEMBERS_MAX } from '../protocol/limits.js';
import type { Direction, Info, Message, State, Trit } from '../protocol/messages.js';

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

/** All members, by id. Changed in place by {@link stepMesh}: a view is shared, never copied, whatever its size. */
export type MeshView = Map<string, Member>;

/** What was heard of a member. */
export type MeshInput =
  | { readonly type: 'AvailabilityHeard'; readonly node: string; readonly online: boolean }
  | { readonly type: 'InfoHeard'; readonly node: string; readonly info: Message<'info'> }
  /** `fresh`: said just now, not replayed by the broker. */
  | { readonly type: 'StateHeard'; readonly node: string; readonly state: Message<'state'>; readonly fresh: boolean };

/** How long `offline` must stand before it is believed: a session take-over publishes the old will first. */
export interface MeshRules {
  readonly offlineAfterMs: number;
}

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

/** Takes in what was heard; says whether it changed anything. */
export function stepMesh(view: MeshView, input: MeshInput, now: number): boolean {
  const member = view.get(input.node) ?? createMember(input.node);
  if (!view.has(input.node) && view.size >= MEMBERS_MAX && !dropGone(view)) return false;
  const next = changeMember(member, input, now);
  if (next === member) return false;
  view.set(input.node, next);
  return true;
}

/** Makes room by forgetting a member that is gone; false when none is. */
function dropGone(view: MeshView): boolean {
  for (const member of view.values()) if (!member.available) return view.delete(member.id);
  return false;
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

function changeMember(member: Member, input: MeshInput, now: number): Member {
  switch (input.type) {
    case 'AvailabilityHeard':
      if (input.online === member.available) return member;
      return { ...member, available: input.online, offlineSince: input.online ? Number.NEGATIVE_INFINITY : now };
    case 'InfoHeard':
      // Another key is another machine: what the one before it numbered says nothing about this one.
      return member.info === undefined || member.info.key === input.info.key
        ? { ...member, info: input.info }
        : { ...member, info: input.info, state: undefined, boot: -1, seq: -1 };
    case 'StateHeard': {
      const { boot, seq } = input.state;
      if (boot < member.boot || (boot === member.boot && seq <= member.seq)) return member;
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

/** Whether a member counts: it says online (or said offline only just now), and its state is young enough. */
export function isOnline(member: Member, now: number, rules: MeshRules): boolean {
  if (member.state === undefined) return false;
  if (!member.available && now - member.offlineSince >= rules.offlineAfterMs) return false;
  return now - member.heardAt <= member.state.ttl_s * 1000;
}

/** The sum over the online members, its residue mod 3 and the direction it gives. */
export function deriveSum(view: MeshView, now: number, rules: MeshRules): MeshSum {
  let plus = 0;
  let ergodic = 0;
  let minus = 0;
  for (const member of view.values()) {
    if (member.state === undefined || !isOnline(member, now, rules)) continue;
    if (member.state.trit === 1) plus += 1;
    else if (member.state.trit === -1) minus += 1;
    else ergodic += 1;
  }
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
  let any: string | undefined;
  let ergodic: string | undefined;
  for (const member of view.values()) {
    if (!isOnline(member, now, rules)) continue;
    if (any === undefined || member.id < any) any = member.id;
    const isErgodic = member.state?.trit === (0 satisfies Trit);
    if (isErgodic && (ergodic === undefined || member.id < ergodic)) ergodic = member.id;
  }
  return ergodic ?? any;
}
