/**
 * The work left of each job. A job that is stopped and started again elsewhere continues from its last save; it saves
 * after every {@link SAVE_MS} of work.
 */

/** The work left of all jobs, ms. */
export interface WorkLeft {
  add(item: string, sizeMs: number): void;
  leftMs(item: string): number;
  /** A run, `<owner>/<item>/<epoch>`, was stopped after `doneMs` of work. */
  stopped(run: string, doneMs: number): void;
}

/** Work between two saves of a job, ms. */
export const SAVE_MS = 60_000;

/** Creates an empty record. */
export function createWorkLeft(): WorkLeft {
  const left = new Map<string, number>();
  return {
    add: (item, sizeMs) => {
      left.set(item, sizeMs);
    },
    leftMs: (item) => left.get(item) ?? 0,
    stopped: (run, doneMs) => {
      const [, item = ''] = run.split('/');
      left.set(item, (left.get(item) ?? 0) - Math.floor(doneMs / SAVE_MS) * SAVE_MS);
    },
  };
}
