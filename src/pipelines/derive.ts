/**
 * What was heard of members becomes the view, and the view becomes the sum that every node derives. Time is an input too:
 * a member that falls silent leaves the sum without a word.
 */
import { auditTime, distinctUntilChanged, filter, interval, map, merge, startWith, type Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { deriveSum, stepMesh, type MeshInput, type MeshRules, type MeshSum, type MeshView } from '../core/mesh.js';
import type { NodeInput } from './inputs.js';

/** How long the view may gather changes before the sum is derived again, ms. */
const GATHER_MS = 50;
/** How often silence is looked for, ms. */
const SILENCE_MS = 1000;

/** Takes what was heard of members into the view; emits the id of each member that changed. */
export function trackMembers(inputs$: Observable<NodeInput>, view: MeshView, clock: Clock): Observable<string> {
  return inputs$.pipe(
    filter(isMeshInput),
    filter((input) => stepMesh(view, input, clock.now())),
    map((input) => input.node),
  );
}

function isMeshInput(input: NodeInput): input is MeshInput {
  return input.type === 'StateHeard' || input.type === 'InfoHeard' || input.type === 'AvailabilityHeard';
}

/** The sum, each time it changed. */
export function deriveMesh(
  changes$: Observable<unknown>,
  view: MeshView,
  clock: Clock,
  rules: MeshRules,
): Observable<MeshSum> {
  return merge(changes$.pipe(auditTime(GATHER_MS, clock.scheduler)), interval(SILENCE_MS, clock.scheduler)).pipe(
    startWith(undefined),
    map(() => deriveSum(view, clock.now(), rules)),
    distinctUntilChanged(isSameSum),
  );
}

function isSameSum(a: MeshSum, b: MeshSum): boolean {
  return a.plus === b.plus && a.ergodic === b.ergodic && a.minus === b.minus;
}
