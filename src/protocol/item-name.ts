/**
 * What new items get if nobody says otherwise: id, name, attempts. It loads no schema: a command that only submits must
 * start quickly.
 */

/** How many times an item may be started. */
export const ATTEMPTS_DEFAULT = 3;

/** Longest name of an item, characters. */
export const ITEM_NAME_CHARS_MAX = 64;

/** The name of an item that was given none: that of its program, without the directories. */
export function nameAfter([program = '']: readonly string[]): string {
  const base = program.split('/').findLast((part) => part !== '');
  return (base ?? 'job').slice(0, ITEM_NAME_CHARS_MAX);
}

/** How many suffixes item ids can have: four characters of base 36. */
export const ITEM_ID_ENDS: number = 36 ** 4;

/** The id of a new item: its creation time and one of {@link ITEM_ID_ENDS} suffixes. Ids sort by time. */
export function formatItemId(wallMs: number, end: number): string {
  return `${wallMs.toString(36)}-${end.toString(36).padStart(4, '0')}`;
}
