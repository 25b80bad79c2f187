/**
 * The rules by which people name external processes: `throttle:name=ffmpeg*`,
 * `migrate:user=media&cgroup=/user.slice/*`. A rule only permits an action; it never causes one.
 */
import type { ProcessFacts } from './process-facts.js';

/** The action that a rule permits, or both. */
export type RuleAction = 'throttle' | 'migrate' | 'any';

/** One rule. All its patterns must match. */
export interface ScumRule {
  /** As it was written. */
  readonly text: string;
  readonly action: RuleAction;
  readonly name?: string | undefined;
  readonly user?: string | undefined;
  readonly cgroup?: string | undefined;
}

/** The fields that a rule can match. */
type Field = 'name' | 'user' | 'cgroup';

const EXPECTED = 'must be throttle:, migrate: or any:, and name=, user= or cgroup= patterns joined by &';

/** Parses a rule, or returns what is wrong with it. */
export function parseScumRule(
  text: string,
): { readonly ok: true; readonly rule: ScumRule } | { readonly ok: false; readonly reason: string } {
  const [, action, conditions = ''] = /^(throttle|migrate|any):(.+)$/.exec(text) ?? [];
  if (action !== 'throttle' && action !== 'migrate' && action !== 'any') return { ok: false, reason: EXPECTED };
  const fields = new Map<Field, string>();
  for (const condition of conditions.split('&')) {
    const [, field, pattern] = /^(name|user|cgroup)=(.+)$/.exec(condition) ?? [];
    if ((field !== 'name' && field !== 'user' && field !== 'cgroup') || pattern === undefined || fields.has(field)) {
      return { ok: false, reason: EXPECTED };
    }
    fields.set(field, pattern);
  }
  return { ok: true, rule: { text, action, ...Object.fromEntries(fields) } };
}

/** The first rule that permits an action on a process. */
export function findRule(
  rules: readonly ScumRule[],
  action: 'throttle' | 'migrate',
  process: ProcessFacts,
): ScumRule | undefined {
  return rules.find((rule) => (rule.action === 'any' || rule.action === action) && fits(rule, process));
}

/** Whether all patterns match. An unknown field matches no pattern. */
function fits(rule: ScumRule, { name, user, cgroups }: ProcessFacts): boolean {
  if (rule.name !== undefined && !matches(rule.name, name)) return false;
  if (rule.user !== undefined && (user === undefined || !matches(rule.user, user))) return false;
  const { cgroup } = rule;
  return cgroup === undefined || (cgroups ?? []).some((path) => matches(cgroup, path));
}

/**
 * Matches a glob: `*` is any text, `?` one character. Only the last star is ever retried, so no pattern is exponential.
 */
function matches(pattern: string, text: string): boolean {
  let [at, from, star, taken] = [0, 0, -1, 0];
  while (at < text.length) {
    if (pattern[from] === '*') [star, taken] = [from++, at];
    else if (pattern[from] === '?' || pattern[from] === text[at]) [from, at] = [from + 1, at + 1];
    else if (star === -1) return false;
    else [from, at] = [star + 1, ++taken];
  }
  return pattern.slice(from).replaceAll('*', '') === '';
}
