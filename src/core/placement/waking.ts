/**
 * Chooses which deferred items to wake. The seed's second rule: when the mesh sum is negative, deferred work wakes on
 * MINUS nodes, never more than they have free slots. At zero nothing wakes.
 */
import type { Direction } from '../../protocol/messages.js';
import { findObstacle } from '../mesh/ranking.js';
import type { MeshRules } from '../mesh/member.js';
import type { MemberTable } from '../mesh/member-table.js';
import { placementFor, slotsOf, type OwnedItem } from '../owner/owned-item.js';

/** What the choice depends on. */
export interface WakeContext {
  readonly self: string;
  readonly members: MemberTable;
  readonly mesh: MeshRules;
  readonly now: number;
  readonly direction: Direction;
  /** Slots that items of this owner already ask for: woken and not yet acked. */
  readonly slotsAsked: number;
}

/** Why an item was woken, as its history shows. */
export const WAKE_REASON = 'the mesh sum is negative: idle work wakes';

/** Ids of the items to wake, oldest first. */
export function chooseWakes(sleeping: Iterable<OwnedItem>, context: WakeContext): string[] {
  if (context.direction !== 'wake') return [];
  const woken: string[] = [];
  let asked = context.slotsAsked;
  for (const state of sleeping) {
    const free = countFreeSlots(state, context);
    if (asked + slotsOf(state) > free) continue;
    asked += slotsOf(state);
    woken.push(state.spec.id);
  }
  return woken;
}

function countFreeSlots(state: OwnedItem, context: WakeContext): number {
  const request = placementFor(state, context.self);
  let free = 0;
  for (const member of context.members.values()) {
    if (findObstacle(member, request, context.now, context.mesh) === undefined) free += member.state?.slots_free ?? 0;
  }
  return free;
}
