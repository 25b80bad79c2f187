/** The status of an item: its phases, and what its owner publishes about where it is and why. */

/** The phases of an item, roughly in the order in which it passes through them. */
export const PHASES = [
  'staging',
  'deferred',
  'queued',
  'offered',
  'acked',
  'running',
  'returning',
  'lost',
  'done',
  'failed',
  'cancelled',
] as const;
/** One phase of an item. `lost` waits for a person; `done`, `failed` and `cancelled` are settled. */
export type Phase = (typeof PHASES)[number];

/** One entry in the history of an item: a phase that it entered. */
export interface HistoryEntry {
  readonly ts: string;
  readonly phase: Phase;
  readonly epoch: number;
  readonly node?: string | undefined;
  readonly reason?: string | undefined;
}

/** Why a member does not take an item. */
export interface Blocked {
  readonly node: string;
  readonly reason: string;
  /** A code from reasons.ts; missing if an earlier version sent it. */
  readonly code?: string | undefined;
}

/** `work/<owner>/<item>/status`: where the item is and why. */
export interface Status {
  readonly phase: Phase;
  readonly name: string;
  readonly epoch: number;
  readonly receiver: string | null;
  readonly reason: string;
  /** Set while it waits: the code of `reason` (reasons.ts). */
  readonly code?: string | undefined;
  readonly attempts: number;
  readonly hops: number;
  readonly submitted_at: string;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly run_ms: number | null;
  readonly cpu_s: number | null;
  /**
   * Set while a receiver holds it: whether owner and receiver reach each other directly; missing until that is known.
   */
  readonly direct?: boolean | undefined;
  /** It has ended, but its outputs cannot be reached: `reason` names the addresses that were tried. */
  readonly unreached?: boolean | undefined;
  /** Set while it waits: why each member does not take it. */
  readonly blocked: readonly Blocked[];
  readonly history: readonly HistoryEntry[];
}
