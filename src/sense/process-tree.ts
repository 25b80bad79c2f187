/**
 * Process trees: which processes descend from a given one, and how much CPU time a tree used between two scans. Pure.
 */

/** The ids that link a process to its parent. */
export interface TreeMember {
  readonly pid: number;
  readonly ppid: number;
}

/** Returns the process `root` and all its descendants; an empty list if `root` does not exist. */
export function selectTree<P extends TreeMember>(all: Iterable<P>, root: number): readonly P[] {
  const children = new Map<number, P[]>();
  const tree: P[] = [];
  for (const process of all) {
    if (process.pid === root) tree.push(process);
    const siblings = children.get(process.ppid);
    if (siblings === undefined) children.set(process.ppid, [process]);
    else siblings.push(process);
  }
  // The list grows during the iteration: the children of each member are added once.
  for (const { pid } of tree) tree.push(...(children.get(pid) ?? []).filter((child) => child.pid !== root));
  return tree;
}

/** A tree member with the counters from which the CPU time of its tree is computed. */
export interface TreeCount extends TreeMember {
  readonly startTicks: number;
  readonly ownTicks: number;
  readonly childTicks: number;
}

/**
 * Returns the ticks that a tree used between two scans. There are two estimates, neither of which is ever too high,
 * so the higher one is returned: the time of the living members; and the total time of the tree including ended
 * children, which misses members that ended without being waited for inside the tree.
 */
export function countTreeTicks(before: readonly TreeCount[], after: readonly TreeCount[]): number {
  const known = new Map(before.map((process) => [process.pid, process]));
  let living = 0;
  for (const process of after) {
    const old = known.get(process.pid);
    living += process.ownTicks - (old?.startTicks === process.startTicks ? old.ownTicks : 0);
  }
  return Math.max(0, living, sumTicks(after) - sumTicks(before));
}

function sumTicks(tree: readonly TreeCount[]): number {
  return tree.reduce((sum, process) => sum + process.ownTicks + process.childTicks, 0);
}
