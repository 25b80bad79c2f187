/**
 * Shortens a failing plan to what is needed: faults, submissions, drains and load changes are left out one after another, as
 * long as the same promise still breaks. What remains is the story to read.
 */
import { live } from './live.js';
import type { Plan } from './plan.js';

/** The lists of a plan that can be shortened. */
const LISTS = ['faults', 'submissions', 'drains', 'loads'] as const;
/** Lives that a shrink may cost. */
const LIVES_MAX = 400;

/** A plan as short as the search found that breaks the same promise; the given one when it breaks none. */
export function shrinkPlan(plan: Plan): Plan {
  const promise = live(plan).violations[0]?.promise;
  if (promise === undefined) return plan;
  let left = LIVES_MAX;
  const stillFails = (candidate: Plan): boolean => {
    left -= 1;
    return left >= 0 && live(candidate).violations[0]?.promise === promise;
  };
  let shortest = plan;
  for (;;) {
    const shorter = shortenOnce(shortest, stillFails);
    if (shorter === shortest) return shortest;
    shortest = shorter;
  }
}

/** Tries to leave out each thing once; the same plan when all of them are needed. */
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
