/**
 * The plan of a simulation: which work is submitted when and where, how loads wander, and which faults strike. A plan is data:
 * it can be printed, shortened, kept in a file and replayed. Nothing is drawn here.
 */

/** A fault that strikes at its time. Times in ms since the beginning; what lasts ends at `until`. */
export type TimedFault =
  | { readonly kind: 'crash'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'power-loss'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'stall'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'suspend'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'disk-full'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'clock-jump'; readonly node: string; readonly at: number; readonly byMs: number }
  | { readonly kind: 'cut'; readonly from: string; readonly to: string; readonly at: number; readonly until: number }
  | { readonly kind: 'slow-network'; readonly ms: number; readonly at: number; readonly until: number }
  | {
      readonly kind: 'slow-subscriber';
      readonly node: string;
      readonly ms: number;
      readonly at: number;
      readonly until: number;
    }
  | {
      readonly kind: 'bad-broker';
      readonly losses: number;
      readonly duplicates: number;
      readonly queueMax: number;
      readonly at: number;
      readonly until: number;
    }
  | { readonly kind: 'broker-down'; readonly forgets: boolean; readonly at: number; readonly until: number }
  | { readonly kind: 'take-over'; readonly node: string; readonly at: number }
  /** The broker sends a node once more what it has had. */
  | { readonly kind: 'redelivery'; readonly node: string; readonly sinceMs: number; readonly at: number }
  /** A command that a careless person left on the bus as a retained message. */
  | { readonly kind: 'retained-command'; readonly node: string; readonly at: number };

/** Faults that lie in wait for a step of a node. */
export interface Ambush {
  readonly kind: 'ambush';
  /** The node, or `*` for any. */
  readonly node: string;
  /** As `watchSteps` names it. */
  readonly step: string;
  /** How often the step is taken until they strike, from 1. */
  readonly nth: number;
  /** From when on steps count, ms since the beginning. */
  readonly at: number;
  /** What strikes. Times in ms since the step; at 0 it strikes before the step is done. {@link STEPPER} is the node that took it. */
  readonly strikes: readonly TimedFault[];
}

/** Stands in an ambush for the node that took the step. */
export const STEPPER = '@';

/** One fault. */
export type Fault = TimedFault | Ambush;

/** One item to submit. */
export interface Submission {
  readonly at: number;
  readonly node: string;
  readonly item: string;
  readonly takesMs: number;
  readonly retry: 'once' | 'rerun';
  readonly migrate: 'never' | 'restart' | 'checkpoint';
  readonly withInputs: boolean;
  readonly place: 'any' | 'here' | 'away';
  readonly deferred: boolean;
  readonly cpus: number;
  /** When a person cancels it, if so. */
  readonly cancelAt: number | undefined;
  /** When a person asks for it to move, if so. */
  readonly moveAt: number | undefined;
  /** When a person asks for it to move again, and again. */
  readonly moves?: readonly number[];
}

/** How one node's load goes: the ratio from each moment on. */
export interface LoadChange {
  readonly at: number;
  readonly node: string;
  readonly ratio: number;
}

/** A whole plan. */
export interface Plan {
  readonly seed: number;
  readonly nodes: readonly string[];
  readonly slots: number;
  /** End of the phase with faults; then everything is healed. */
  readonly safetyMs: number;
  readonly submissions: readonly Submission[];
  readonly loads: readonly LoadChange[];
  readonly drains: readonly { readonly node: string; readonly at: number; readonly until: number }[];
  readonly faults: readonly Fault[];
}

/** The load ratio that the plan gives a node at a moment. */
export function ratioAt(plan: Plan, node: string, at: number): number {
  // In the end all are idle: what waits for an idle mesh has no excuse then.
  if (at > plan.safetyMs) return 0.05;
  let ratio = 0.1;
  let since = -1;
  for (const change of plan.loads) {
    if (change.node !== node || change.at > at || change.at < since) continue;
    ratio = change.ratio;
    since = change.at;
  }
  return ratio;
}
