/**
 * The sum stage: derives the sum from the member table, as every node does on its own. Time is an input too: a member
 * that falls silent leaves the sum without a message.
 */
import {
  auditTime,
  defer,
  distinctUntilChanged,
  filter,
  interval,
  map,
  merge,
  startWith,
  tap,
  type Observable,
} from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import type { MeshRules } from '../../core/mesh/member.js';
import { deriveSum, type MemberTable, type MeshSum } from '../../core/mesh/member-table.js';

/** How long the table may gather changes before the sum is derived again, ms. */
const GATHER_MS = 50;
/** How often the stage checks for silent members, ms. */
const SILENCE_MS = 1000;

/** The sum, each time it changed. Most messages do not change it, and start no timer. */
export function deriveMesh(
  changes$: Observable<unknown>,
  members: MemberTable,
  clock: Clock,
  rules: MeshRules,
): Observable<MeshSum> {
  return defer(() => {
    let last = deriveSum(members, clock.now(), rules);
    const news$ = changes$.pipe(
      filter(() => !isSameSum(last, deriveSum(members, clock.now(), rules))),
      auditTime(GATHER_MS, clock.scheduler),
    );
    return merge(news$, interval(SILENCE_MS, clock.scheduler)).pipe(
      map(() => deriveSum(members, clock.now(), rules)),
      startWith(last),
      distinctUntilChanged(isSameSum),
      tap((sum) => {
        last = sum;
      }),
    );
  });
}

function isSameSum(a: MeshSum, b: MeshSum): boolean {
  return a.plus === b.plus && a.ergodic === b.ergodic && a.minus === b.minus;
}
