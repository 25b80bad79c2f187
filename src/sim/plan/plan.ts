/**
 * The plan of a simulation: which work is submitted when and where, how loads change, and which faults strike. A plan
 * is data: it can be printed, shortened, kept in a file and replayed. Nothing is random here.
 */

import type { BootFailure } from '../parts/sim-clocks.js';

/** A fault that strikes at a given time. Times in ms since the beginning; a fault that lasts ends at `until`. */
export type TimedFault =
  | { readonly kind: 'crash'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'power-loss'; readonly node: string; readonly at: number; readonly until: number }
  /** The machine gets another host name, and its node restarts. */
  | { readonly kind: 'host-renamed'; readonly node: string; readonly at: number; readonly until: number }
  /** A snapshot of the machine is taken at `at`, and restored at `until`. */
  | { readonly kind: 'rollback'; readonly node: string; readonly at: number; readonly until: number }
  /** The hypervisor pauses the machine. Its clocks stand still, too, so that nothing on it notices. */
  | { readonly kind: 'pause'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'stall'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'suspend'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'disk-full'; readonly node: string; readonly at: number; readonly until: number }
  /**
   * Other programs leave no more than `leaves` bytes of a disk free. Without `told` it is a quota that nothing reports.
   */
  | {
      readonly kind: 'disk-short';
      readonly node: string;
      readonly leaves: number;
      readonly told: boolean;
      readonly at: number;
      readonly until: number;
    }
  | { readonly kind: 'clock-jump'; readonly node: string; readonly at: number; readonly byMs: number }
  /** The boot clock jumps; the other clocks do not. */
  | { readonly kind: 'boot-jump'; readonly node: string; readonly at: number; readonly byMs: number }
  | {
      readonly kind: 'boot-fails';
      readonly node: string;
      readonly how: BootFailure;
      readonly at: number;
      readonly until: number;
    }
  | { readonly kind: 'cut'; readonly from: string; readonly to: string; readonly at: number; readonly until: number }
  /** `to` accepts no connections from `from` (`*`: from any node). The bus still works. Healing does not end it. */
  | { readonly kind: 'closed'; readonly from: string; readonly to: string; readonly at: number; readonly until: number }
  /** A node that can call others on the direct path, but not be called; `*` for all nodes. */
  | { readonly kind: 'unreachable'; readonly node: string; readonly at: number; readonly until: number }
  | {
      readonly kind: 'bad-direct-paths';
      readonly losses: number;
      readonly duplicates: number;
      readonly lateMs: number;
      readonly answersMs?: number;
      readonly mute?: string;
      readonly at: number;
      readonly until: number;
    }
  /** A birth message is published under the id of a node, with another key. */
  | { readonly kind: 'impostor'; readonly node: string; readonly at: number }
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
  /** The broker delivers messages of the last `sinceMs` to a node again. */
  | { readonly kind: 'redelivery'; readonly node: string; readonly sinceMs: number; readonly at: number }
  /** A careless user leaves a command on the bus as a retained message. */
  | { readonly kind: 'retained-command'; readonly node: string; readonly at: number };

/** Faults that wait for a step of a node. */
export interface FaultTrigger {
  readonly kind: 'trigger';
  /** The node, or `*` for any. */
  readonly node: string;
  /** The name of the crash point, see src/node/crash-points.ts. */
  readonly step: string;
  /** The step at which they strike, counted from 1. */
  readonly nth: number;
  /** Steps count from this time on, ms since the beginning. */
  readonly at: number;
  /**
   * The faults. Times in ms since the step; 0 strikes before the step is done. {@link STEPPER} is the node that took
   * it.
   */
  readonly strikes: readonly TimedFault[];
}

/** In a trigger's faults, stands for the node that took the step. */
export const STEPPER = '@';

/** One fault of a plan, at a given time or at a step. */
export type PlannedFault = TimedFault | FaultTrigger;

/** One item to submit. */
export interface Submission {
  readonly at: number;
  readonly node: string;
  readonly item: string;
  readonly takesMs: number;
  readonly retry: 'once' | 'rerun';
  readonly migrate: 'never' | 'restart' | 'checkpoint';
  readonly withInputs: boolean;
  /** Size of its inputs, bytes; 1 by default. */
  readonly bytes?: number;
  readonly place: 'any' | 'here' | 'away';
  readonly deferred: boolean;
  readonly cpus: number;
  /** When a user cancels it, if at all. */
  readonly cancelAt: number | undefined;
  /** When a user requests a move, if at all. */
  readonly moveAt: number | undefined;
  /** When a user requests further moves. */
  readonly moves?: readonly number[];
}

/** A node's load ratio from a given time on. */
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
  readonly faults: readonly PlannedFault[];
  /** A receiver that goes down for good. Its items must be offered again before everything is healed. */
  readonly dies?: string | undefined;
  /** Nothing in the plan excuses a second start of an item, or an end without the job's own exit code. */
  readonly startsOnce?: true | undefined;
}

/** The load ratio of a node at a given time. */
export function ratioAt(plan: Plan, node: string, at: number): number {
  // In the end all nodes are idle, so that deferred items have no reason to wait.
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
