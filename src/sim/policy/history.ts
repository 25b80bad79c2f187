/**
 * The history of a simulated mesh: the raw facts from which a report is computed.
 */

/** A job and how it ended. Times in ms since the beginning. */
export interface JobHistory {
  readonly item: string;
  readonly owner: string;
  readonly submittedAt: number;
  /** Processor time that it needs on one core, ms. */
  readonly sizeMs: number;
  /** When its owner journaled its end; `undefined` if it did not. */
  readonly settledAt: number | undefined;
  /** Whether it ended as done. */
  readonly done: boolean;
}

/** A job left a node, or a node was acked for it. */
export interface HistoryStep {
  readonly kind: 'left' | 'taken';
  readonly at: number;
  readonly item: string;
  readonly owner: string;
  readonly node: string;
}

/** The facts of one run. */
export interface History {
  readonly nodes: number;
  /** The measured time, ms. What happened before belongs to the warm-up. */
  readonly from: number;
  readonly until: number;
  readonly jobs: readonly JobHistory[];
  /** Ordered by time. */
  readonly steps: readonly HistoryStep[];
  /** Trit changes in the measured time. */
  readonly flips: number;
  /** Claims in the measured time. */
  readonly claims: number;
  /** Messages in the measured time: published, and delivered to nodes. */
  readonly published: number;
  readonly delivered: number;
  /** How long the mesh took to agree after each trit change, ms. */
  readonly convergenceMs: readonly number[];
}
