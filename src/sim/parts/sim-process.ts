/**
 * A process of a job on a simulated machine, and the image of such a process.
 */
import type { SimWatchdog } from './sim-watchdog.js';

/** One process of a job. */
export interface SimProcess {
  readonly run: string;
  readonly pid: number;
  readonly startedAt: number;
  /** Unique name of this execution. */
  readonly execution: string;
  /** The content of what it writes: its own execution, or the one that it is a copy of. */
  readonly writes: string;
  /** It was restored from an image. */
  readonly isCopy: boolean;
  /** It has run at least once. */
  ran: boolean;
  /** It exists but does nothing: it is frozen, or its watchdog holds it. */
  readonly stopped: boolean;
  frozen: boolean;
  held: boolean;
  /** Work done up to `since`, ms. Unless it is stopped, it has been working since then. */
  doneMs: number;
  since: number;
  watchdog: SimWatchdog | undefined;
  state: 'alive' | 'exited' | 'killed';
  endedAt: number;
}

/** An image: which execution it is of, and the work done so far, ms. */
export interface SimImage {
  readonly writes: string;
  readonly doneMs: number;
}

/** What a process starts with. With an image it is a copy, and starts frozen. */
export type SimProcessStart = Pick<SimProcess, 'run' | 'pid' | 'startedAt' | 'execution' | 'since'> & {
  readonly image: SimImage | undefined;
};

/** Creates a process. */
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
    watchdog: undefined,
    state: 'alive',
    endedAt: Number.POSITIVE_INFINITY,
  };
}
