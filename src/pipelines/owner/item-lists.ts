/**
 * The items of a node by what they wait for, oldest first: the lists that the offer, wake and shed stages go through.
 */
import { isHeld, isSettled, type OwnedItem } from '../../core/owner/owned-item.js';

/** Ids of items. Items that have ended, are coming home or are lost are in no list. */
export interface ItemLists {
  readonly queued: ReadonlySet<string>;
  readonly sleeping: ReadonlySet<string>;
  readonly offered: ReadonlySet<string>;
  readonly held: ReadonlySet<string>;
  /** Puts an item into the list of its phase; `undefined`: the item is gone. */
  enter(item: string, state: OwnedItem | undefined): void;
}

/** Creates empty lists. */
export function createItemLists(): ItemLists {
  const queued = new Set<string>();
  const sleeping = new Set<string>();
  const offered = new Set<string>();
  const held = new Set<string>();

  return {
    queued,
    sleeping,
    offered,
    held,
    enter(item, state) {
      for (const list of [queued, sleeping, offered, held]) list.delete(item);
      if (state === undefined || isSettled(state.phase)) return;
      if (state.phase === 'queued') queued.add(item);
      else if (state.phase === 'deferred') sleeping.add(item);
      else if (state.phase === 'offered') offered.add(item);
      else if (isHeld(state.phase)) held.add(item);
    },
  };
}
