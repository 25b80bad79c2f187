/**
 * Whose key is whose. A member's first key is pinned, and the pin outlives restarts; another key is taken under the same id
 * only after the pinned one was silent for long, so that nobody can step into a member's place by saying that it is offline.
 */
import type { Clock } from '../clock/clock.js';
import type { MeshView } from '../core/mesh.js';
import { MEMBERS_MAX } from '../protocol/limits.js';

/** Pins that are kept. Anybody can be born under any id, so there must be an end to it; a view has room for no more members. */
const PINS_MAX: number = MEMBERS_MAX;

/** How long a member must have been silent before another key may take its id, ms. */
const SILENCE_MS = 10 * 60 * 1000;

/** Pinned keys. */
export interface KeyPins {
  /** Takes a key that its holder has proven to hold; gives the reason when it may not stand for this member. */
  admit(node: string, key: string): string | undefined;
  /** The pinned key of a member. */
  keyOf(node: string): string | undefined;
}

/** Makes the pins; `known` are those of earlier runs, `keep` writes a new one down, or takes one away. */
export function createKeyPins(
  view: MeshView,
  clock: Clock,
  known: ReadonlyMap<string, string>,
  keep: (node: string, key: string | undefined) => void,
  /** Whether work is under way with this member: its key is what the other path is known by. */
  isPartner: (node: string) => boolean = () => false,
): KeyPins {
  const pins = new Map(known);
  const startedAt = clock.now();

  function isSilent(node: string): boolean {
    if (isPartner(node)) return false;
    const heardAt = Math.max(startedAt, view.get(node)?.state === undefined ? 0 : (view.get(node)?.heardAt ?? 0));
    return clock.now() - heardAt >= SILENCE_MS;
  }

  /** Whoever is silent for so long may lose its id to another key anyway. */
  function dropSilent(): boolean {
    for (const node of pins.keys()) {
      if (!isSilent(node)) continue;
      pins.delete(node);
      keep(node, undefined);
      return true;
    }
    return false;
  }

  return {
    keyOf: (node) => pins.get(node),
    admit: (node, key) => {
      const pinned = pins.get(node);
      if (pinned === key) return undefined;
      if (pinned !== undefined && !isSilent(node)) {
        return `key is another one than ${node} was first seen with; it is taken when that one was silent for 10 minutes`;
      }
      if (pinned === undefined && pins.size >= PINS_MAX && !dropSilent()) {
        return `key cannot be kept: there are ${PINS_MAX} already`;
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
