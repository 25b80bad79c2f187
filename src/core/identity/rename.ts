/**
 * Decides whether a node may take another id now. Receivers know its items by its id, and owners know its guests by it,
 * so all of them must be settled first. The new id must not belong to another node.
 */
import type { MemberTable } from '../mesh/member-table.js';
import { isSettled, type OwnedItem } from '../owner/owned-item.js';
import type { Guest } from '../receiver/guest.js';

/** An item or guest that must be settled before the node can be renamed. */
export interface Unsettled {
  /** An item id, or `<owner>/<item>` of a guest. */
  readonly item: string;
  readonly phase: string;
  /** What it waits for. */
  readonly reason: string;
}

/** Lists what must be settled first: own items, then guests of other nodes. */
export function listUnsettled(items: Iterable<OwnedItem>, guests: Iterable<Guest>, self: string): readonly Unsettled[] {
  const own = [...items].filter((one) => !isSettled(one.phase));
  const ofOthers = [...guests].filter((one) => one.owner !== self);
  // A guest of an own item that has ended is released with the next message, so guests of listed items are left out.
  const rest = [...guests].filter((one) => one.owner === self && own.every(({ spec }) => spec.id !== one.item));
  return [
    ...own.map(({ spec, phase, receiver, reason }) => ({
      item: spec.id,
      phase: receiver === null ? phase : `${phase} at ${receiver}`,
      reason,
    })),
    ...[...ofOthers, ...rest].map(({ owner, item, phase }) => ({
      item: `${owner}/${item}`,
      phase,
      reason: phase === 'ended' ? `its result waits for ${owner}` : `it runs here for ${owner}`,
    })),
  ];
}

/** How long after its last message a member keeps its id, ms: other nodes keep its key pinned for as long. */
const SILENCE_MS = 10 * 60 * 1000;

/** Why a node with this key may not take the id `to`; `undefined` if it may. */
export function findNameFault(
  members: MemberTable,
  self: string,
  key: string,
  to: string,
  now: number,
): string | undefined {
  if (to === self) return `${to} is its id already`;
  const rival = members.get(to);
  if (rival?.info === undefined || rival.info.key === key) return undefined;
  if (rival.available) return `${to} is taken: a node with another key is online under it on ${rival.info.host}`;
  if (rival.state === undefined || now - rival.heardAt >= SILENCE_MS) return undefined;
  return `${to} was a node on ${rival.info.host} until recently: other nodes accept another key under that id after 10 minutes`;
}
