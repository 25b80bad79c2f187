/**
 * What was heard of members becomes the view, and the view becomes the sum that every node derives. Time is an input too:
 * a member that falls silent leaves the sum without a word.
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
import type { Clock } from '../clock/clock.js';
import type { MeshRules } from '../core/member.js';
import { deriveSum, isNews, stepMesh, type MeshInput, type MeshSum, type MeshView } from '../core/mesh.js';
import type { NodeInput } from './inputs.js';

/** How long the view may gather changes before the sum is derived again, ms. */
const GATHER_MS = 50;
/** How often silence is looked for, ms. */
const SILENCE_MS = 1000;

/** Takes what was heard of members into the view; emits what was news of a member. */
export function trackMembers(heard$: Observable<MeshInput>, view: MeshView, clock: Clock): Observable<MeshInput> {
  return heard$.pipe(
    filter((input) => {
      const before = view.get(input.node);
      return stepMesh(view, input, clock.now()) && isNews(before, view.get(input.node));
    }),
  );
}

/** Whether an input only says something of a member. */
export function isMeshInput(input: NodeInput): input is MeshInput {
  return input.type === 'StateHeard' || input.type === 'InfoHeard' || input.type === 'AvailabilityHeard';
}

/** The sum, each time it changed. Most of what is heard does not change it, and costs no timer. */
export function deriveMesh(
  changes$: Observable<unknown>,
  view: MeshView,
  clock: Clock,
  rules: MeshRules,
): Observable<MeshSum> {
  return defer(() => {
    let last = deriveSum(view, clock.now(), rules);
    const news$ = changes$.pipe(
      filter(() => !isSameSum(last, deriveSum(view, clock.now(), rules))),
      auditTime(GATHER_MS, clock.scheduler),
    );
    return merge(news$, interval(SILENCE_MS, clock.scheduler)).pipe(
      map(() => deriveSum(view, clock.now(), rules)),
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
