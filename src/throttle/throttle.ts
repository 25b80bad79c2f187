/**
 * The port that holds processes back. It decides nothing and keeps no durable state: the record of a throttle is
 * returned by {@link Throttle.prepare}, and the caller writes it to the journal before {@link Throttle.set}.
 */
import type { ThrottleMethod, SavedThrottle, ThrottleTarget } from '../core/processes/saved-throttle.js';

/** Success, or the reason for the failure as a sentence for people. */
export type ThrottleOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The record of the present settings and the planned throttle, or the reason why the target cannot be throttled. */
export type PreparedThrottle =
  | { readonly ok: true; readonly record: SavedThrottle }
  | { readonly ok: false; readonly reason: string };

/** Holds processes back. All calls are short and synchronous. */
export interface Throttle {
  /** Methods that work on this machine, best first. */
  readonly methods: readonly ThrottleMethod[];
  /** Why each of the other methods is not available. */
  readonly missing: ReadonlyMap<ThrottleMethod, string>;
  /**
   * Reads the present settings of the processes of a target and picks a method; changes nothing. `known` is the
   * present record of the target, if any: its method, its place and the previous settings of its processes are kept.
   */
  prepare(target: ThrottleTarget, sharePercent: number, known: SavedThrottle | null): PreparedThrottle;
  /**
   * Applies a record. May be called again: after a restart of the node, or when processes were added to the record.
   * The record must be in the journal BEFORE.
   */
  set(record: SavedThrottle): ThrottleOutcome;
  /** Restores the previous settings, for the processes that still live. Harmless if the record was never applied. */
  undo(record: SavedThrottle): ThrottleOutcome;
  /** Releases all resources. Processes stay throttled, except that none stays stopped. */
  close(): void;
}
