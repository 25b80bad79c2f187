/**
 * Whether a state directory is still on the machine that it was last used on. A copy of it (a cloned VM, an SD card, a backup)
 * carries the node's key and journal with it, so a machine that does not fit must look for its twin before it does anything.
 */

/** What tells one machine from another. What cannot be read is left out: it says nothing, neither yes nor no. */
export interface MachinePrint {
  /** A hash of the system's machine id; `undefined` where there is none, as in many containers. */
  readonly id: string | undefined;
  /** Permanent addresses of its network cards, sorted; random ones are left out. */
  readonly macs: readonly string[];
  /** Host name, to name the machine for people. It never decides anything. */
  readonly host: string;
}

/**
 * `fits`: the same machine, or nothing that says otherwise; `partly`: one mark is the same and another is not, as for an SD card
 * in a new board or a clone that was given another network card; `other`: nothing is the same.
 */
export type MachineFit = 'fits' | 'partly' | 'other';

/** Compares the machine of the record with the present one. */
export function fitMachine(recorded: MachinePrint | undefined, present: MachinePrint): MachineFit {
  if (recorded === undefined) return 'fits';
  const id = compareMarks(recorded.id === undefined ? [] : [recorded.id], present.id === undefined ? [] : [present.id]);
  const macs = compareMarks(recorded.macs, present.macs);
  const marks = [id, macs].filter((one) => one !== undefined);
  if (marks.every(Boolean)) return 'fits';
  return marks.some(Boolean) ? 'partly' : 'other';
}

/** Whether two lists share a mark; `undefined` when one of them is empty. */
function compareMarks(one: readonly string[], other: readonly string[]): boolean | undefined {
  if (one.length === 0 || other.length === 0) return undefined;
  return one.some((mark) => other.includes(mark));
}
