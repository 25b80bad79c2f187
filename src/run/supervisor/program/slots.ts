/** The slots of a supervisor's runs in its file of leases, and what a later boot of the node wrote there. */
import { blankSlot, openSlots, parseSlot, readSlot, type SlotLease } from '../lease-slots.js';

/** The slots. */
export interface Slots {
  /** Takes a blank slot for a run; `undefined` when there is no room for it. */
  take(id: number): number | undefined;
  free(id: number): void;
  /** The lease of a run, each only once; `undefined` when there is no new one. */
  read(id: number, slot: number): SlotLease | undefined;
}

/** Opens the slots. Throws the file system's errors. */
export function createSlots(path: string): Slots {
  const fd = openSlots(path);
  /** The run in each slot. */
  const owners: (number | undefined)[] = [];
  /** Slots known to be blank: nobody writes into them while the node has a pipe. */
  const blank = new Set<number>();
  const seen = new Map<number, number>();
  return {
    take: (id) => {
      const free = owners.indexOf(undefined);
      const slot = free === -1 ? owners.length : free;
      try {
        if (!blank.has(slot)) blankSlot(fd, slot);
      } catch {
        return undefined;
      }
      blank.add(slot);
      owners[slot] = id;
      return slot;
    },
    free: (id) => {
      const slot = owners.indexOf(id);
      if (slot !== -1) owners[slot] = undefined;
      seen.delete(id);
    },
    read: (id, slot) => {
      const lease = tryRead(fd, slot);
      if (lease === undefined || lease.id !== id || lease.number === seen.get(id)) return undefined;
      seen.set(id, lease.number);
      return lease;
    },
  };
}

function tryRead(fd: number, slot: number): SlotLease | undefined {
  try {
    return parseSlot(readSlot(fd, slot));
  } catch {
    return undefined;
  }
}
