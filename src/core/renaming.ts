/**
 * Whether a node may take another id now. Its items are known to receivers, and its guests to owners, by its id: each must be over
 * first. And nobody else may go by the new one.
 */
import type { MeshView } from './mesh.js';
import { isSettled, type OwnedItem } from './owner/owned-item.js';
import type { Guest } from './receiver/guest.js';

/** One thing that must be over first. */
export interface Unsettled {
  /** An item id, or `<owner>/<item>` of a guest. */
  readonly item: string;
  readonly phase: string;
  /** What it waits for, as its owner knows. */
  readonly reason: string;
}

/** Lists what must be over first: own items, then guests of others. */
export function listUnsettled(items: Iterable<OwnedItem>, guests: Iterable<Guest>, self: string): readonly Unsettled[] {
  const own = [...items].filter((one) => !isSettled(one.phase));
  const foreign = [...guests].filter((one) => one.owner !== self);
  // A guest of an own item that is over is released with the next message; it is named only when nothing else is left.
  const rest = [...guests].filter((one) => one.owner === self && own.every(({ item }) => item.item !== one.item));
  return [
    ...own.map(({ item, phase, receiver, reason }) => ({
      item: item.item,
      phase: receiver === null ? phase : `${phase} at ${receiver}`,
      reason,
    })),
    ...[...foreign, ...rest].map(({ owner, item, phase }) => ({
      item: `${owner}/${item}`,
      phase,
      reason: phase === 'ended' ? `its result waits for ${owner}` : `it runs here for ${owner}`,
    })),
  ];
}

/** How long after its last word a member keeps its id from others, ms: as long as other nodes hold on to its key. */
const SILENCE_MS = 10 * 60 * 1000;

/** Why a node of this key may not be called `to`; `undefined` if it may. */
export function findNameFault(view: MeshView, self: string, key: string, to: string, now: number): string | undefined {
  if (to === self) return `${to} is its id already`;
  const rival = view.get(to);
  if (rival?.info === undefined || rival.info.key === key) return undefined;
  if (rival.available) return `${to} is taken: a node with another key is online under it on ${rival.info.host}`;
  if (rival.state === undefined || now - rival.heardAt >= SILENCE_MS) return undefined;
  return `${to} was a node on ${rival.info.host} until a moment ago: the others take another key under that id after 10 minutes`;
}
