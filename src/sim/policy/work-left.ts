/**
 * What is left to do of each job. A job that is stopped and started again elsewhere goes on from where it last saved its work,
 * which it does every so often.
 */

/** The jobs' work. */
export interface WorkLeft {
  add(item: string, sizeMs: number): void;
  leftMs(item: string): number;
  /** A run of it, `<owner>/<item>/<epoch>`, was stopped after so much of its work. */
  stopped(run: string, doneMs: number): void;
}

/** A job saves its work this often, ms of work. */
export const SAVE_MS = 60_000;

/** Makes it, without a job. */
export function keepWork(): WorkLeft {
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
