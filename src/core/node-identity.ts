/**
 * Under which id and base topic a node goes on. A journal is worth something only under the id that wrote it: receivers know its
 * items by that id, and under another one the same item would be started again. So what the state directory knows stands above
 * the host name, and what a person asks for against it is refused, never ignored.
 */
import type { ItemRecord } from './owner/item-record.js';
import { isSettled } from './owner/owned-item.js';
import type { GuestRecord } from './receiver/guest.js';

/** What the configuration says. An origin is there where a person said it: a flag, a variable, a line of a file. */
export interface AskedIdentity {
  readonly id: string;
  readonly idOrigin: string | undefined;
  readonly base: string;
  readonly baseOrigin: string | undefined;
}

/** What the state directory knows. */
export interface KnownIdentity {
  readonly id: string;
  /** `undefined` where only the id could be found out. */
  readonly base: string | undefined;
  readonly former: readonly string[];
  /** Nobody chose the id: it was made from the host name, which may have changed since. */
  readonly fromHost: boolean;
}

/** Work that the journal holds. */
export interface KnownWork {
  readonly items: readonly ItemRecord[];
  readonly guests: readonly GuestRecord[];
}

/** The id and base to go on under, with what people should know of it; or the sentence why the node must not start. */
export type IdentityChoice =
  | { readonly ok: true; readonly id: string; readonly base: string; readonly notes: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** Chooses; `known` is `undefined` for a state directory that was never used. */
export function chooseIdentity(
  asked: AskedIdentity,
  known: KnownIdentity | undefined,
  work: KnownWork,
): IdentityChoice {
  if (known === undefined) return { ok: true, id: asked.id, base: asked.base, notes: [] };
  const notes: string[] = [];
  const id = chooseId(asked, known, notes);
  const base = chooseBase(asked, known, work, notes);
  if (!id.ok) return id;
  return base.ok ? { ok: true, id: id.value, base: base.value, notes } : base;
}

type Chosen = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: string };

function chooseId({ id, idOrigin }: AskedIdentity, known: KnownIdentity, notes: string[]): Chosen {
  if (id === known.id) return { ok: true, value: id };
  if (idOrigin === undefined) {
    if (known.fromHost)
      notes.push(
        `this state directory is node ${known.id}'s: it goes on under that id, although the host name gives ${id} now; ` +
          `"tritmesh rename ${id}" changes it`,
      );
    return { ok: true, value: known.id };
  }
  if (known.former.includes(id)) {
    notes.push(`${id} (${idOrigin}) was renamed to ${known.id} and goes on as that: take the old id out there`);
    return { ok: true, value: known.id };
  }
  const reason =
    `id ${JSON.stringify(id)} (${idOrigin}): this state directory is node ${JSON.stringify(known.id)}'s; ` +
    `rename it with "tritmesh rename ${id}", or give ${id} a state directory of its own (--state-dir)`;
  return { ok: false, reason };
}

/** Another base is another mesh: nobody there knows of work that the journal holds. Without any the node just moves over. */
function chooseBase(
  { base, baseOrigin }: AskedIdentity,
  known: KnownIdentity,
  work: KnownWork,
  notes: string[],
): Chosen {
  if (known.base === undefined || base === known.base) return { ok: true, value: base };
  if (baseOrigin === undefined) return { ok: true, value: known.base };
  const open = countOpen(work);
  if (open === 0) {
    notes.push(`its base topic was ${known.base} and is ${base} (${baseOrigin}) from now on`);
    return { ok: true, value: base };
  }
  const reason =
    `base ${JSON.stringify(base)} (${baseOrigin}): ${open} items of the mesh below ${JSON.stringify(known.base)} are not settled here; ` +
    `start it there until they are, or give this mesh a state directory of its own (--state-dir)`;
  return { ok: false, reason };
}

/** Items and guests that are not over. */
export function countOpen({ items, guests }: KnownWork): number {
  return items.filter((one) => !isSettled(one.phase)).length + guests.length;
}

/** A birth that the broker keeps, signed with this node's own key. */
export interface OwnBirth {
  readonly id: string;
  readonly boot: number;
}

/**
 * Finds out which id wrote a journal that does not say so (of a version before): an item of its own that runs here is kept as a
 * guest under its owner's id, and the broker keeps the birth that was signed with this node's key. `undefined`: nothing tells.
 */
export function deduceId(work: KnownWork, births: readonly OwnBirth[]): string | undefined {
  const own = new Set(work.items.map((one) => one.item.item));
  const guest = work.guests.find((one) => own.has(one.item));
  if (guest !== undefined) return guest.owner;
  return births.toSorted((a, b) => b.boot - a.boot)[0]?.id;
}

/** Whether going on under a wrong id could start something twice: somebody else holds an item, or an item of somebody else is here. */
export function isIdVital({ items, guests }: KnownWork): boolean {
  return guests.length > 0 || items.some((one) => one.receiver !== null && !isSettled(one.phase));
}
