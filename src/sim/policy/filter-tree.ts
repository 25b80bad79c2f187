/**
 * MQTT filters as a tree of topic levels. The cost of finding the subscribers of a topic depends on the number of its
 * levels, not on the number of subscribers.
 */

/** Subscribers by filter. */
export interface FilterTree<T> {
  add(filter: string, subscriber: T): void;
  /** Removes a subscriber from all filters. */
  remove(subscriber: T): void;
  /** The groups of subscribers whose filters match. A subscriber with overlapping filters is in several of them. */
  find(topic: string): readonly ReadonlySet<T>[];
}

interface Branch<T> {
  readonly below: Map<string, Branch<T>>;
  readonly here: Set<T>;
}

/** Creates an empty tree. */
export function createFilterTree<T>(): FilterTree<T> {
  const root = createBranch<T>();

  function add(filter: string, subscriber: T): void {
    let branch = root;
    for (const level of filter.split('/')) {
      const next = branch.below.get(level) ?? createBranch<T>();
      branch.below.set(level, next);
      branch = next;
    }
    branch.here.add(subscriber);
  }

  return {
    add,
    remove: (subscriber) => removeBelow(root, subscriber),
    find: (topic) => {
      const found: ReadonlySet<T>[] = [];
      gather(root, topic.split('/'), 0, found);
      return found;
    },
  };
}

function createBranch<T>(): Branch<T> {
  return { below: new Map(), here: new Set() };
}

function gather<T>(branch: Branch<T>, levels: readonly string[], depth: number, found: ReadonlySet<T>[]): void {
  const rest = branch.below.get('#');
  if (rest !== undefined && rest.here.size > 0) found.push(rest.here);
  const level = levels[depth];
  if (level === undefined) {
    if (branch.here.size > 0) found.push(branch.here);
    return;
  }
  for (const word of [level, '+']) {
    const next = branch.below.get(word);
    if (next !== undefined) gather(next, levels, depth + 1, found);
  }
}

function removeBelow<T>(branch: Branch<T>, subscriber: T): void {
  branch.here.delete(subscriber);
  for (const next of branch.below.values()) removeBelow(next, subscriber);
}
