/**
 * Whose key is whose. A member's first key is pinned, and the pin outlives restarts; another key is taken under the same id
 * only after the pinned one was silent for long, so that nobody can step into a member's place by saying that it is offline.
 */
import type { Clock } from '../clock/clock.js';
import type { MeshView } from '../core/mesh.js';

/** How long a member must have been silent before another key may take its id, ms. */
const SILENCE_MS = 10 * 60 * 1000;

/** Pinned keys. */
export interface KeyPins {
  /** Takes a key that its holder has proven to hold; gives the reason when it may not stand for this member. */
  admit(node: string, key: string): string | undefined;
}

/** Makes the pins; `known` are those of earlier runs, `keep` writes a new one down. */
export function createKeyPins(
  view: MeshView,
  clock: Clock,
  known: ReadonlyMap<string, string>,
  keep: (node: string, key: string) => void,
): KeyPins {
  const pins = new Map(known);
  const startedAt = clock.now();
  return {
    admit: (node, key) => {
      const pinned = pins.get(node);
      if (pinned === key) return undefined;
      const heardAt = Math.max(startedAt, view.get(node)?.state === undefined ? 0 : (view.get(node)?.heardAt ?? 0));
      if (pinned !== undefined && clock.now() - heardAt < SILENCE_MS) {
        return `key is another one than ${node} was first seen with; it is taken when that one was silent for 10 minutes`;
      }
      pins.set(node, key);
      keep(node, key);
      return undefined;
    },
  };
}

/** Journal key of a pin. */
export function pinKey(node: string): string {
  return `key/${node}`;
}
