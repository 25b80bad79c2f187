/**
 * Decides whether the node acts on a process as the decision matrix says: it applies the policies that people set, the
 * protection of processes, and known obstacles. It returns the one decisive reason, which is shown to people.
 */
import type { ProcessFacts } from './process-facts.js';
import type { ScumAction } from './scum.js';
import { findRule, type ScumRule } from './scum-rules.js';

/**
 * `managed`: acts on what tritmesh started; `opt-in`: also on what a rule names; `advise`: only reports what it would
 * do; `off`: neither.
 */
export type ScumPolicy = 'managed' | 'opt-in' | 'advise' | 'off';

/** The policies that people set. */
export interface ScumPolicies {
  readonly throttle: ScumPolicy;
  readonly migrate: ScumPolicy;
  readonly rules: readonly ScumRule[];
  /** What a throttled target gets, percent of one core. */
  readonly sharePercent: number;
  /** How long the machine's own load must be PLUS before guests of other nodes are sent away, ms. */
  readonly vacateAfterMs: number;
}

/** What a verdict on one process depends on. */
export interface JudgeContext {
  /** Why it is protected; `undefined` if it is not. */
  readonly protection: string | undefined;
  /** The item that it belongs to. */
  readonly item: string | undefined;
  /** Why it cannot be throttled, and why it cannot be moved; `undefined` if it can. */
  readonly throttleObstacle: string | undefined;
  readonly moveObstacle: string | undefined;
}

/** Whether the node acts, and why or why not. */
export interface ScumVerdict {
  readonly acts: boolean;
  readonly why: string;
}

/** Whether a policy allows the node to act without being asked. */
export function isActive(policy: ScumPolicy): boolean {
  return policy === 'managed' || policy === 'opt-in';
}

/** Judges one process. */
export function judgeScum(
  process: ProcessFacts,
  action: ScumAction,
  policies: ScumPolicies,
  facts: JudgeContext,
): ScumVerdict {
  if (action === 'none') return { acts: false, why: 'its score is not above 0.35' };
  if (action === 'allow') return { acts: false, why: 'the node is MINUS: heavy processes are left alone' };
  if (facts.protection !== undefined) return { acts: false, why: `never touched: ${facts.protection}` };
  const grant = findGrant(process, action, policies, facts.item);
  if (!grant.granted) return { acts: false, why: grant.why };
  const obstacle = action === 'throttle' ? facts.throttleObstacle : facts.moveObstacle;
  if (obstacle !== undefined) return { acts: false, why: `${grant.why}, but ${obstacle}` };
  if (policies[action] === 'advise') return { acts: false, why: `scum.${action} is advise: it would (${grant.why})` };
  return { acts: true, why: grant.why };
}

/** Why the policy allows the node to act on a process, or why it does not. */
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
