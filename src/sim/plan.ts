/**
 * The plan of a simulation: which work is submitted when and where, how loads wander, and which faults strike. A plan is data:
 * it can be printed, shortened, kept in a file and replayed. Nothing is drawn here.
 */

import type { BootFailure } from './sim-clocks.js';

/** A fault that strikes at its time. Times in ms since the beginning; what lasts ends at `until`. */
export type TimedFault =
  | { readonly kind: 'crash'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'power-loss'; readonly node: string; readonly at: number; readonly until: number }
  /** The machine gets another host name, and its node is started again. */
  | { readonly kind: 'host-renamed'; readonly node: string; readonly at: number; readonly until: number }
  /** A snapshot of the machine is made at `at`, and put back at `until`. */
  | { readonly kind: 'set-back'; readonly node: string; readonly at: number; readonly until: number }
  /** The hypervisor stops the machine and lets it go on: nothing on it notices, and its clocks stood still. */
  | { readonly kind: 'pause'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'stall'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'suspend'; readonly node: string; readonly at: number; readonly until: number }
  | { readonly kind: 'disk-full'; readonly node: string; readonly at: number; readonly until: number }
  /** Strangers leave no more than `leaves` bytes of a disk free; unless `told`, only a quota knows. */
  | {
      readonly kind: 'disk-short';
      readonly node: string;
      readonly leaves: number;
      readonly told: boolean;
      readonly at: number;
      readonly until: number;
    }
  | { readonly kind: 'clock-jump'; readonly node: string; readonly at: number; readonly byMs: number }
  /** The boot clock jumps, alone. */
  | { readonly kind: 'boot-jump'; readonly node: string; readonly at: number; readonly byMs: number }
  | {
      readonly kind: 'boot-fails';
      readonly node: string;
      readonly how: BootFailure;
      readonly at: number;
      readonly until: number;
    }
  | { readonly kind: 'cut'; readonly from: string; readonly to: string; readonly at: number; readonly until: number }
  /** `to` takes no connection from `from` (`*`: from nobody); messages over the broker pass. It is not healed: `until` may be never. */
  | { readonly kind: 'closed'; readonly from: string; readonly to: string; readonly at: number; readonly until: number }
  /** A node that can call and not be called by the direct path; `*` for all. */
  | { readonly kind: 'shut-door'; readonly node: string; readonly at: number; readonly until: number }
  | {
      readonly kind: 'bad-lines';
      readonly losses: number;
      readonly duplicates: number;
      readonly lateMs: number;
      readonly answersMs?: number;
      readonly mute?: string;
      readonly at: number;
      readonly until: number;
    }
  /** A stranger is born under the id of a node, with another key. */
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
  /** Of its inputs; a byte where it is not said. */
  readonly bytes?: number;
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
  /** A receiver dies for good, and nothing excuses that its items are not offered again before everything is healed. */
  readonly dies?: string | undefined;
  /** Nothing in it excuses a second start of an item, or an end without its own exit code. */
  readonly startsOnce?: true | undefined;
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
