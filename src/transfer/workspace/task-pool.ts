/**
 * Runs tasks side by side, at most so many at a time. The first failure comes out at the next call; it never starts a
 * task after one failed.
 */

/** A bounded pool of tasks. */
export interface TaskPool {
  /** Waits for a free place, then starts `task`. Throws what an earlier task threw. */
  add(task: () => Promise<void>): Promise<void>;
  /** Waits until nothing runs. Throws what a task threw. */
  drain(): Promise<void>;
}

/** Makes a pool that runs `limit` tasks at once. */
export function createTaskPool(limit: number): TaskPool {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];

  async function waitBelow(count: number): Promise<void> {
    while (running.size >= count) await Promise.race(running);
    if (failures.length > 0) throw failures[0];
  }

  function start(task: () => Promise<void>): void {
    const run = task()
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(run));
    running.add(run);
  }

  return {
    add: async (task) => {
      await waitBelow(limit);
      start(task);
    },
    drain: () => waitBelow(1),
  };
}
