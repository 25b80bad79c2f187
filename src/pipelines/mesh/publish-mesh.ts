/**
 * Turns the sum into the mesh's state for everyone to read: with the three best receivers, and the one reporter that
 * publishes it. Every node computes it; only the elected one publishes it.
 */
import { distinctUntilChanged, interval, map, merge, type Observable } from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import { ANY_ITEM, rankReceivers } from '../../core/mesh/ranking.js';
import type { MeshRules } from '../../core/mesh/member.js';
import { deriveSum, electReporter, type MeshSum, type MemberTable } from '../../core/mesh/member-table.js';
import { RECEIVERS_SHOWN_MAX } from '../../protocol/limits.js';
import type { MeshState } from '../../protocol/messages.js';

/** The reporter publishes the mesh's state this often even if nothing changed, ms. */
const REPORT_MS = 30_000;
/** The receivers and the reporter are checked this often, ms: a load ratio may change without the sum. */
const CHECK_MS = 2_000;

/**
 * The mesh's state, each time it changed and at a regular interval; `undefined` while no member is online. Nobody reads
 * the receivers of a state that another node reports: with `self`, they are left out of those.
 */
export function publishMesh(
  sum$: Observable<MeshSum>,
  members: MemberTable,
  clock: Clock,
  rules: MeshRules,
  self?: string,
): Observable<MeshState | undefined> {
  const checked$ = merge(sum$, interval(CHECK_MS, clock.scheduler)).pipe(
    map(() => formatMeshState(members, clock.now(), rules, self)),
    distinctUntilChanged(isSameMesh),
  );
  const periodic$ = interval(REPORT_MS, clock.scheduler).pipe(
    map(() => formatMeshState(members, clock.now(), rules, self)),
  );
  return merge(checked$, periodic$);
}

function isSameMesh(a: MeshState | undefined, b: MeshState | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.reporter === b.reporter &&
    a.plus === b.plus &&
    a.ergodic === b.ergodic &&
    a.minus === b.minus &&
    a.receivers.join() === b.receivers.join()
  );
}

/** The mesh's state at one time; see {@link publishMesh}. */
export function formatMeshState(
  members: MemberTable,
  now: number,
  rules: MeshRules,
  self?: string,
): MeshState | undefined {
  const reporter = electReporter(members, now, rules);
  if (reporter === undefined) return undefined;
  if (self !== undefined && reporter !== self) return { ...deriveSum(members, now, rules), receivers: [], reporter };
  const receivers = rankReceivers(members, ANY_ITEM, now, rules).ranked.slice(0, RECEIVERS_SHOWN_MAX);
  return { ...deriveSum(members, now, rules), receivers, reporter };
}
