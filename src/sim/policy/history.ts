/**
 * The history of a simulated mesh: the plain facts that a report is made of. It judges nothing.
 */

/** A job and what became of it. Times in ms since the beginning. */
export interface JobStory {
  readonly item: string;
  readonly owner: string;
  readonly submittedAt: number;
  /** What it needs of one core. */
  readonly sizeMs: number;
  /** When its end was in its owner's journal; `undefined` while it was not. */
  readonly settledAt: number | undefined;
  /** It ended as it should. */
  readonly done: boolean;
}

/** A job left a machine, or was given to one. */
export interface Step {
  readonly kind: 'left' | 'taken';
  readonly at: number;
  readonly item: string;
  readonly owner: string;
  readonly node: string;
}

/** The facts of one run. */
export interface History {
  readonly nodes: number;
  /** The time that is counted, ms; what happened before is running-in. */
  readonly from: number;
  readonly until: number;
  readonly jobs: readonly JobStory[];
  /** In order of time. */
  readonly steps: readonly Step[];
  /** Changes of a trit in the counted time. */
  readonly flips: number;
  /** Claims in it, and how many jobs were given to a machine. */
  readonly claims: number;
  /** Messages in it: published, and handed to nodes. */
  readonly said: number;
  readonly heard: number;
  /** How long the mesh took to agree after each change of a trit. */
  readonly convergenceMs: readonly number[];
}
