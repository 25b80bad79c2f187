/**
 * Shortens a failing plan to what is needed: it removes faults, submissions, drains and load changes one by one, as
 * long as the same promise still breaks.
 */
import { runPlan } from '../run-plan.js';
import type { Plan } from './plan.js';

/** The lists of a plan that can be shortened. */
const LISTS = ['faults', 'submissions', 'drains', 'loads'] as const;
/** Runs that shortening a plan may cost. */
const RUNS_MAX = 400;

/** The shortest plan found that breaks the same promise; the given plan if it breaks none. */
export function shrinkPlan(plan: Plan): Plan {
  const promise = runPlan(plan).violations[0]?.promise;
  if (promise === undefined) return plan;
  let left = RUNS_MAX;
  const stillFails = (candidate: Plan): boolean => {
    left -= 1;
    return left >= 0 && runPlan(candidate).violations[0]?.promise === promise;
  };
  let shortest = plan;
  for (;;) {
    const shorter = shortenOnce(shortest, stillFails);
    if (shorter === shortest) return shortest;
    shortest = shorter;
  }
}

/** Tries to remove each entry once. Returns the same plan if all of them are needed. */
function shortenOnce(plan: Plan, stillFails: (candidate: Plan) => boolean): Plan {
  let shortest = plan;
  for (const list of LISTS) {
    for (let at = shortest[list].length - 1; at >= 0; at -= 1) {
      const candidate: Plan = { ...shortest, [list]: shortest[list].filter((_, index) => index !== at) };
      if (stillFails(candidate)) shortest = candidate;
    }
  }
  return shortest;
}
