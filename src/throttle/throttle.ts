/**
 * The port that holds processes back. It does as it is told and remembers nothing that must last: what is throttled
 * stands in a record, which its user writes to the journal between {@link Throttle.prepare} and {@link Throttle.set}.
 */
import type { ThrottleMethod, SavedThrottle, ThrottleTarget } from '../core/processes/saved-throttle.js';

/** Done, or the reason why not, as a sentence for people. */
export type ThrottleOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** What is there now and how it would be throttled, or the reason why it cannot be. */
export type PreparedThrottle =
  | { readonly ok: true; readonly record: SavedThrottle }
  | { readonly ok: false; readonly reason: string };

/** Holds processes back. All calls are short and answer at once. */
export interface Throttle {
  /** Methods that were tried on this machine and worked, best first. */
  readonly methods: readonly ThrottleMethod[];
  /** Why the others do not. */
  readonly missing: ReadonlyMap<ThrottleMethod, string>;
  /**
   * Reads what is there now for the processes of a target, and picks a method; touches nothing. With `known`, the
   * target's present record, method and place stay, and what was there before each of its processes is kept.
   */
  prepare(target: ThrottleTarget, sharePercent: number, known: SavedThrottle | null): PreparedThrottle;
  /**
   * Sets what a record says, also again: after a restart of the node, or when the record grew. The record must be in
   * the journal BEFORE.
   */
  set(record: SavedThrottle): ThrottleOutcome;
  /** Puts back exactly what was there before, for those that still live. Harmless when it was never set. */
  undo(record: SavedThrottle): ThrottleOutcome;
  /** Lets go; what is still throttled stays so, but for what would stay stopped. */
  close(): void;
}
