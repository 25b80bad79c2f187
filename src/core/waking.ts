/**
 * Which sleeping items wake. The seed's second rule: when the mesh sum is negative, idle work wakes on MINUS nodes, never
 * more of it than they have free slots. At zero nothing wakes.
 */
import type { Direction } from '../protocol/messages.js';
import { findObstacle } from './election.js';
import type { MeshRules } from './member.js';
import type { MeshView } from './mesh.js';
import { askFor, slotsOf, type OwnedItem } from './owner/owned-item.js';

/** What the choice goes by. */
export interface WakingFacts {
  readonly self: string;
  readonly view: MeshView;
  readonly mesh: MeshRules;
  readonly now: number;
  readonly direction: Direction;
  /** Slots that items of this owner ask for already: awake and not yet acked. */
  readonly slotsAsked: number;
}

/** Ids of the items to wake, oldest first. */
export function chooseWakes(sleeping: Iterable<OwnedItem>, facts: WakingFacts): string[] {
  if (facts.direction !== 'wake') return [];
  const woken: string[] = [];
  let asked = facts.slotsAsked;
  for (const state of sleeping) {
    const free = countFreeSlots(state, facts);
    if (asked + slotsOf(state) > free) continue;
    asked += slotsOf(state);
    woken.push(state.item.item);
  }
  return woken;
}

function countFreeSlots(state: OwnedItem, facts: WakingFacts): number {
  const ask = askFor(state, facts.self);
  let free = 0;
  for (const member of facts.view.values()) {
    if (findObstacle(member, ask, facts.now, facts.mesh) === undefined) free += member.state?.slots_free ?? 0;
  }
  return free;
}
