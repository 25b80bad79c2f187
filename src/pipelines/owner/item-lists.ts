/**
 * The items of a node by what they wait for, oldest first: the lists that the offer, wake and shed stages go through.
 */
import { isBehindOthers } from '../../core/placement/offering.js';
import { isHeld, isSettled, type OwnedItem } from '../../core/owner/owned-item.js';

/** Ids of items. Items that have ended, are coming home or are lost are in no list. */
export interface ItemLists {
  readonly queued: ReadonlySet<string>;
  readonly sleeping: ReadonlySet<string>;
  readonly offered: ReadonlySet<string>;
  readonly held: ReadonlySet<string>;
  /** The queued items that do not know yet that they are behind others, in the order in which they came to be so. */
  readonly unexplained: ReadonlySet<string>;
  /** An item has changed: it goes to the end of the list of its phase if that is another one. `undefined`: no item. */
  changed(item: string, before: OwnedItem | undefined, after: OwnedItem | undefined): void;
}

/** Creates empty lists. */
export function createItemLists(): ItemLists {
  const queued = new Set<string>();
  const sleeping = new Set<string>();
  const offered = new Set<string>();
  const held = new Set<string>();

  const unexplained = new Set<string>();

  function enter(item: string, state: OwnedItem | undefined): void {
    for (const list of [queued, sleeping, offered, held]) list.delete(item);
    if (state === undefined || isSettled(state.phase)) return;
    if (state.phase === 'queued') queued.add(item);
    else if (state.phase === 'deferred') sleeping.add(item);
    else if (state.phase === 'offered') offered.add(item);
    else if (isHeld(state.phase)) held.add(item);
  }

  return {
    queued,
    sleeping,
    offered,
    held,
    unexplained,
    changed(item, before, after) {
      if (before?.phase !== after?.phase) enter(item, after);
      if (after?.phase === 'queued' && !isBehindOthers(after)) unexplained.add(item);
      else unexplained.delete(item);
    },
  };
}
