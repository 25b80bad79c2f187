/**
 * Process trees: which processes descend from one, and how much cpu time a tree used between two scans. Pure.
 */

/** What makes the tree. */
export interface TreeMember {
  readonly pid: number;
  readonly ppid: number;
}

/** The process `root` and all that descend from it; empty when it is not there. */
export function selectTree<P extends TreeMember>(all: Iterable<P>, root: number): readonly P[] {
  const children = new Map<number, P[]>();
  const tree: P[] = [];
  for (const process of all) {
    if (process.pid === root) tree.push(process);
    const siblings = children.get(process.ppid);
    if (siblings === undefined) children.set(process.ppid, [process]);
    else siblings.push(process);
  }
  // The list grows while it is walked: every member is asked for its children once.
  for (const { pid } of tree) tree.push(...(children.get(pid) ?? []).filter((child) => child.pid !== root));
  return tree;
}

/** What the cpu time of a tree is counted from. */
export interface TreeCount extends TreeMember {
  readonly startTicks: number;
  readonly ownTicks: number;
  readonly childTicks: number;
}

/**
 * Ticks that a tree used between two scans of it. Two counts, both never too high, and the higher one wins: what the
 * living members ran; and what the whole tree ever ran, ended children included, which misses what a member ran that
 * ended and was waited for by nobody in the tree.
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
