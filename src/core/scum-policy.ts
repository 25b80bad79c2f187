/**
 * Whether the decision matrix acts on a process, and why: the policies that people set, the never-list, and what stands in the
 * way. Pure; it gives the one reason that decides, so that people can be told.
 */
import type { ProcessFacts } from './process-facts.js';
import type { ScumAction } from './scum.js';
import { findRule, type ScumRule } from './scum-rules.js';

/**
 * `managed`: acts on what tritmesh started; `opt-in`: also on what a rule names; `advise`: says what it would do; `off`.
 */
export type ScumPolicy = 'managed' | 'opt-in' | 'advise' | 'off';

/** What people set. */
export interface ScumPolicies {
  readonly throttle: ScumPolicy;
  readonly migrate: ScumPolicy;
  readonly rules: readonly ScumRule[];
  /** What a throttled target gets, of one core. */
  readonly sharePercent: number;
  /** How long the machine's own load is PLUS before guests of others are sent away, ms. */
  readonly vacateAfterMs: number;
}

/** What is known of one process when it is judged. */
export interface JudgedFacts {
  /** Why it must never be touched. */
  readonly untouchable: string | undefined;
  /** The item that it belongs to. */
  readonly item: string | undefined;
  /** What stands in the way of throttling it, and of moving it. */
  readonly throttleObstacle: string | undefined;
  readonly moveObstacle: string | undefined;
}

/** Whether the node acts, and the reason. */
export interface Verdict {
  readonly acts: boolean;
  readonly why: string;
}

/** Whether a policy lets the node act by itself at all. */
export function isActive(policy: ScumPolicy): boolean {
  return policy === 'managed' || policy === 'opt-in';
}

/** Judges one process. */
export function judgeScum(
  process: ProcessFacts,
  action: ScumAction,
  policies: ScumPolicies,
  facts: JudgedFacts,
): Verdict {
  if (action === 'none') return { acts: false, why: 'its score is not above 0.35' };
  if (action === 'allow') return { acts: false, why: 'the node is MINUS: heavy processes are let be' };
  if (facts.untouchable !== undefined) return { acts: false, why: `never touched: ${facts.untouchable}` };
  const grant = findGrant(process, action, policies, facts.item);
  if (!grant.granted) return { acts: false, why: grant.why };
  const obstacle = action === 'throttle' ? facts.throttleObstacle : facts.moveObstacle;
  if (obstacle !== undefined) return { acts: false, why: `${grant.why}, but ${obstacle}` };
  if (policies[action] === 'advise') return { acts: false, why: `scum.${action} is advise: it would (${grant.why})` };
  return { acts: true, why: grant.why };
}

/** What gives leave to act on a process, or why nothing does. */
function findGrant(
  process: ProcessFacts,
  action: 'throttle' | 'migrate',
  policies: ScumPolicies,
  item: string | undefined,
): { readonly granted: boolean; readonly why: string } {
  const policy = policies[action];
  if (policy === 'off') return { granted: false, why: `scum.${action} is off` };
  if (item !== undefined) return { granted: true, why: `tritmesh started it as item ${item}` };
  if (policy === 'managed') {
    return { granted: false, why: `scum.${action} is managed, and tritmesh did not start it` };
  }
  const rule = findRule(policies.rules, action, process);
  if (rule === undefined) return { granted: false, why: 'no rule in scum.rules names it' };
  return { granted: true, why: `rule ${rule.text}` };
}
