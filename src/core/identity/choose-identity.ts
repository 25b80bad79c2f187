/**
 * Chooses the id and base topic that a node runs under. A journal is only valid under the id that wrote it: receivers
 * know its items by that id, and under another one the same item would be started again. The state directory therefore
 * overrides the host name, and a contradicting configuration is refused, never ignored.
 */
import type { ItemRecord } from '../owner/item-record.js';
import { isSettled } from '../owner/owned-item.js';
import type { GuestRecord } from '../receiver/guest.js';

/** The configured identity. An origin is set if a person chose the value: a flag, a variable, a line of a file. */
export interface AskedIdentity {
  readonly id: string;
  readonly idOrigin: string | undefined;
  readonly base: string;
  readonly baseOrigin: string | undefined;
}

/** The identity stored in the state directory. */
export interface KnownIdentity {
  readonly id: string;
  /** `undefined` if only the id could be deduced. */
  readonly base: string | undefined;
  readonly former: readonly string[];
  /** The id was derived from the host name, which may have changed since. */
  readonly fromHost: boolean;
}

/** Work in the journal. */
export interface KnownWork {
  readonly items: readonly ItemRecord[];
  readonly guests: readonly GuestRecord[];
}

/** The chosen id and base, with notes for the log; or a sentence that says why the node must not start. */
export type IdentityChoice =
  | { readonly ok: true; readonly id: string; readonly base: string; readonly notes: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** Chooses the identity; `known` is `undefined` for a state directory that was never used. */
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
        `this state directory belongs to node ${known.id} and keeps that id, although the host name gives ${id} now; ` +
          `"tritmesh rename ${id}" changes it`,
      );
    return { ok: true, value: known.id };
  }
  if (known.former.includes(id)) {
    notes.push(`${id} (${idOrigin}) was renamed to ${known.id} and keeps that id: remove the old one there`);
    return { ok: true, value: known.id };
  }
  const reason =
    `id ${JSON.stringify(id)} (${idOrigin}): this state directory belongs to node ${JSON.stringify(known.id)}; ` +
    `rename it with "tritmesh rename ${id}", or give ${id} a state directory of its own (--state-dir)`;
  return { ok: false, reason };
}

/** Another base is another mesh, where the work in the journal is unknown. Without any work the node may switch. */
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
    `keep that base until they are, or give this mesh a state directory of its own (--state-dir)`;
  return { ok: false, reason };
}

/** Counts the items and guests that are not settled. */
export function countOpen({ items, guests }: KnownWork): number {
  return items.filter((one) => !isSettled(one.phase)).length + guests.length;
}

/** A retained birth message that is signed with this node's own key. */
export interface OwnBirth {
  readonly id: string;
  readonly boot: number;
}

/**
 * Deduces which id wrote a journal of an earlier version, which does not record it: an own item that runs here is
 * stored as a guest under its owner's id, and the broker retains the birth message signed with this node's key.
 * `undefined` if neither exists.
 */
export function deduceId(work: KnownWork, births: readonly OwnBirth[]): string | undefined {
  const own = new Set(work.items.map((one) => one.spec.id));
  const guest = work.guests.find((one) => own.has(one.item));
  if (guest !== undefined) return guest.owner;
  return births.toSorted((a, b) => b.boot - a.boot)[0]?.id;
}

/** Whether a wrong id could start something twice: another node holds an item, or an item of another node is here. */
export function isIdVital({ items, guests }: KnownWork): boolean {
  return guests.length > 0 || items.some((one) => one.receiver !== null && !isSettled(one.phase));
}
