/**
 * Decides whether a state directory is still on the machine that it was last used on. A copy (a cloned VM, an SD card,
 * a backup) has the node's key and journal, so on a machine that does not fit a node must look for its twin before it
 * does anything else.
 */

/** What identifies a machine. Marks that cannot be read are left out and count neither for nor against it. */
export interface MachinePrint {
  /** A hash of the system's machine id; `undefined` if there is none, as in many containers. */
  readonly id: string | undefined;
  /** Permanent addresses of its network cards, sorted; random ones are left out. */
  readonly macs: readonly string[];
  /** Host name, for people only. It never decides anything. */
  readonly host: string;
}

/**
 * `fits`: the same machine, or no evidence to the contrary; `partly`: one mark matches and another does not, as with an
 * SD card in a new board or a clone with another network card; `other`: no mark matches.
 */
export type MachineFit = 'fits' | 'partly' | 'other';

/** Compares the recorded machine with the present one. */
export function fitMachine(recorded: MachinePrint | undefined, present: MachinePrint): MachineFit {
  if (recorded === undefined) return 'fits';
  const id = compareMarks(recorded.id === undefined ? [] : [recorded.id], present.id === undefined ? [] : [present.id]);
  const macs = compareMarks(recorded.macs, present.macs);
  const marks = [id, macs].filter((one) => one !== undefined);
  if (marks.every(Boolean)) return 'fits';
  return marks.some(Boolean) ? 'partly' : 'other';
}

/** Whether two lists share a mark; `undefined` if one of them is empty. */
function compareMarks(one: readonly string[], other: readonly string[]): boolean | undefined {
  if (one.length === 0 || other.length === 0) return undefined;
  return one.some((mark) => other.includes(mark));
}
