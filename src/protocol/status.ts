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
  /** When, by the wall clock of its owner, ISO 8601 UTC: for people. */
  readonly ts: string;
  /** The phase. */
  readonly phase: Phase;
  /** The epoch at that time. */
  readonly epoch: number;
  /** The receiver at that time, if there was one. */
  readonly node?: string | undefined;
  /** Why it entered the phase, if a reason was given. */
  readonly reason?: string | undefined;
}

/** Why a member does not take an item. */
export interface Blocked {
  /** Id of the member. */
  readonly node: string;
  /** The sentence for people. */
  readonly reason: string;
  /** Its code, usually a {@link ReasonCode}; missing if an earlier version sent it. */
  readonly code?: string | undefined;
}

/** `work/<owner>/<item>/status`: where the item is and why. */
export interface Status {
  /** How far it has come. */
  readonly phase: Phase;
  /** Short name for display, 1 to 64 characters. */
  readonly name: string;
  /** The epoch that is held or being offered; 0 before the first round. */
  readonly epoch: number;
  /** The node that runs it, or ran it to its end; `null` while none does. */
  readonly receiver: string | null;
  /** Why it is in its phase: a sentence of at most 500 characters, may be empty. */
  readonly reason: string;
  /** Set while it waits: the code of `reason`, usually a {@link ReasonCode}. */
  readonly code?: string | undefined;
  /** Number of starts so far; a move does not count. */
  readonly attempts: number;
  /** Number of moves from one receiver to another. */
  readonly hops: number;
  /** When its owner took it on, ISO 8601 UTC: for people. */
  readonly submitted_at: string;
  /** Exit code of its command, 0 to 255; `null` until it has ended, and if it left none. */
  readonly exit_code: number | null;
  /** Name of the signal that ended its command, such as `SIGKILL`; `null` if none did or it is not known. */
  readonly signal: string | null;
  /** How long it ran, ms; `null` until it has ended. */
  readonly run_ms: number | null;
  /** Processor time of it and its children, seconds; `null` until it has ended. */
  readonly cpu_s: number | null;
  /**
   * Set while a receiver holds it: whether owner and receiver reach each other directly; missing until that is known.
   */
  readonly direct?: boolean | undefined;
  /** It has ended, but its outputs cannot be reached: `reason` names the addresses that were tried. */
  readonly unreached?: boolean | undefined;
  /** While it waits: why each member does not take it, at most 16 of them; else empty. */
  readonly blocked: readonly Blocked[];
  /** The last phases that it entered, at most 24, oldest first. */
  readonly history: readonly HistoryEntry[];
}

/** The reason of a status when its exit code is all there is to say. */
export function describeExitCode(exitCode: number | null): string {
  return `exit code ${exitCode ?? 'unknown'}`;
}
