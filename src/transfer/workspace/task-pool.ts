/**
 * Runs tasks concurrently, up to a limit. The first failure is thrown by the next call, and no task starts after it.
 */

/** A bounded pool of tasks. */
export interface TaskPool {
  /** Waits for a free slot, then starts `task`. Throws what an earlier task threw. */
  add(task: () => Promise<void>): Promise<void>;
  /** Waits until no task is running. Throws what a task threw. */
  drain(): Promise<void>;
}

/** Creates a pool that runs at most `limit` tasks at once. */
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
