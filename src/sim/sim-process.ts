/**
 * A process of a job on a simulated machine, as all look at it, and the image that can be made of it.
 */
import type { SimGuardian } from './sim-guardian.js';

/** One process of a job. */
export interface SimProcess {
  readonly run: string;
  readonly pid: number;
  readonly startedAt: number;
  /** No two executions have the same. */
  readonly execution: string;
  /** What it writes is told by this name: that of the execution that it is a copy of, or its own. */
  readonly writes: string;
  /** It was restored from an image, and is no first start. */
  readonly isCopy: boolean;
  /** It was let run at least once. */
  ran: boolean;
  /** It is there, and does nothing: it was frozen, or its guardian holds it. */
  readonly stopped: boolean;
  frozen: boolean;
  held: boolean;
  /** Work done so far, ms, up to `since`; from then on it goes on unless it is stopped. */
  doneMs: number;
  since: number;
  guardian: SimGuardian | undefined;
  state: 'lives' | 'exited' | 'killed';
  endedAt: number;
}

/** An image: whose, and how far that had come. */
export interface SimImage {
  readonly writes: string;
  readonly doneMs: number;
}

/** What a process begins with; a copy begins with the image, and frozen. */
export type SimProcessStart = Pick<SimProcess, 'run' | 'pid' | 'startedAt' | 'execution' | 'since'> & {
  readonly image: SimImage | undefined;
};

/** Makes a process. */
export function createSimProcess({ image, ...start }: SimProcessStart): SimProcess {
  return {
    ...start,
    writes: image?.writes ?? start.execution,
    isCopy: image !== undefined,
    ran: image === undefined,
    get stopped() {
      return this.frozen || this.held;
    },
    frozen: image !== undefined,
    held: false,
    doneMs: image?.doneMs ?? 0,
    guardian: undefined,
    state: 'lives',
    endedAt: Number.POSITIVE_INFINITY,
  };
}
