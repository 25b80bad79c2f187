/** Suggests the known name that a misspelled one was probably meant to be. Pure. */

/**
 * Finds the nearest known name by edit distance, by default at most a third of the length of what was written. A name
 * that only lacks the beginning of a known one (`plus_above` for `trit.plus_above`) counts as near too.
 */
export function findNearestName(
  written: string,
  known: Iterable<string>,
  editsMax: number = Math.max(1, Math.floor(written.length / 3)),
): string | undefined {
  let nearest: string | undefined;
  let least = editsMax + 1;
  for (const name of known) {
    const distance = endsWithWord(name, written) ? 0 : countEdits(written, name);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

function endsWithWord(name: string, written: string): boolean {
  return name.endsWith(`.${written}`) || name.endsWith(`-${written}`);
}

/** Levenshtein distance, one row at a time. */
function countEdits(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [index, letter] of left.split('').entries()) {
    const next = [index + 1];
    for (let column = 1; column <= right.length; column += 1) {
      const change = (row[column - 1] ?? 0) + (letter === right[column - 1] ? 0 : 1);
      next.push(Math.min(change, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
