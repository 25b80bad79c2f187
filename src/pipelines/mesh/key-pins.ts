/** The pinned keys of members, which outlive restarts. The core decides whose key is admitted. */
import type { Clock } from '../../clock/clock.js';
import { judgeKey } from '../../core/identity/key-pins.js';
import type { MemberTable } from '../../core/mesh/member-table.js';

/** Pinned keys. */
export interface KeyPins {
  /** Pins a key that its holder has proven to hold. Returns the reason if the key may not stand for this member. */
  admit(node: string, key: string): string | undefined;
  /** The pinned key of a member. */
  keyOf(node: string): string | undefined;
}

/** Creates the pins; `known` are those of earlier boots, `persist` writes a new one down, or removes one. */
export function createKeyPins(
  members: MemberTable,
  clock: Clock,
  known: ReadonlyMap<string, string>,
  persist: (node: string, key: string | undefined) => void,
  isPartner: (node: string) => boolean = () => false,
): KeyPins {
  const pins = new Map(known);
  const startedAt = clock.now();

  function silentMs(node: string): number {
    const member = members.get(node);
    return clock.now() - Math.max(startedAt, member?.state === undefined ? 0 : member.heardAt);
  }

  return {
    keyOf: (node) => pins.get(node),
    admit: (node, key) => {
      const verdict = judgeKey(node, key, { pins, silentMs, isPartner });
      if (!verdict.admitted) return verdict.reason;
      if (!verdict.isNew) return undefined;
      if (verdict.drops !== undefined) {
        pins.delete(verdict.drops);
        persist(verdict.drops, undefined);
      }
      pins.set(node, key);
      persist(node, key);
      return undefined;
    },
  };
}

/** Journal key of a pin. */
export function pinKey(node: string): string {
  return `key/${node}`;
}
