/**
 * What must hold of disks with little room: nobody claims again and again what it has no room for, and what was promised room
 * finds it. Like all checkers they look at messages and disks only.
 */
import { SIM_RESERVE } from './settings.js';
import type { SimRoom } from './sim-room.js';

/** What the checks look at. */
export interface RoomCheckParts {
  now(): number;
  room(node: string): SimRoom | undefined;
  report(promise: string, detail: string): void;
}

/** The checks of one simulation. */
export interface RoomChecks {
  /** An item is offered, of which so many bytes are to be fetched: its inputs, or an image. */
  offered(owner: string, item: string, bytes: number): void;
  claimed(node: string, owner: string, item: string): void;
  /** A fetch found no room for its item. */
  starved(node: string, share: string): void;
}

/** A node looks at its disk each second; a claim may go by what it saw just before, and its message takes its time. */
const STALE_MS = 3000;

/** Makes the checks. */
export function createRoomChecks(parts: RoomCheckParts): RoomChecks {
  const vain = new Map<string, number>();
  const sizes = new Map<string, number>();
  const claims = new Map<string, number>();

  return {
    offered: (owner, item, bytes) => {
      sizes.set(`${owner}/${item}`, bytes);
    },
    claimed: (node, owner, item) => {
      claims.set(`${node} ${owner}/${item}`, parts.now());
      const room = parts.room(node);
      const needed = sizes.get(`${owner}/${item}`) ?? 0;
      if (room === undefined || needed === 0 || room.lies || parts.now() - room.changedAt < STALE_MS) return;
      const free = room.told().freeBytes - SIM_RESERVE;
      if (free >= needed) return;
      const key = `${node} ${owner}/${item} ${room.changedAt}`;
      const first = vain.get(key) ?? parts.now();
      vain.set(key, first);
      // One may go by an older look; the same again later may not.
      if (parts.now() - first < STALE_MS) return;
      parts.report(
        'nobody claims again what it has no room for',
        `${node} claimed ${item}, which takes ${needed}, with ${free} free`,
      );
    },
    starved: (node, share) => {
      const room = parts.room(node);
      // Outputs are their owner's, and may come home whatever is free.
      if (room === undefined || !share.endsWith('/in') || room.lies) return;
      // What a node stages or brings home of its own may take what it promised, and a fetch may wait long.
      const promisedAt = claims.get(`${node} ${share.split('/').slice(0, 2).join('/')}`) ?? 0;
      if (parts.now() - room.changedAt < 2 * STALE_MS || room.changedAt > promisedAt) return;
      parts.report('what was promised room finds it', `${node} had no room for ${share}, ${room.free()} free`);
    },
  };
}
