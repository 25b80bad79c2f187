/**
 * The status of an item: the phases of its life, and what its owner tells everybody of where it is and why.
 */

/** The phases of an item, in the order of its life. */
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

/** One step of an item's life. */
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
}

/** `work/<owner>/<item>/status`: where the item is and why. */
export interface Status {
  readonly phase: Phase;
  readonly name: string;
  readonly epoch: number;
  readonly receiver: string | null;
  readonly reason: string;
  readonly attempts: number;
  readonly hops: number;
  readonly submitted_at: string;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly run_ms: number | null;
  readonly cpu_s: number | null;
  /** While a receiver holds it: whether owner and receiver reach each other without the broker; missing until that is known. */
  readonly direct?: boolean | undefined;
  /** It has ended, and there is no way to its outputs: `reason` names the addresses that were called. */
  readonly unreached?: boolean | undefined;
  /** While it waits: why each member does not take it. */
  readonly blocked: readonly Blocked[];
  readonly history: readonly HistoryEntry[];
}
