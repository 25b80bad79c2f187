/**
 * The sum becomes the mesh's state for everybody to read: the three best receivers, and the one reporter that publishes it.
 * Every node works it out; only the elected one says it.
 */
import { distinctUntilChanged, interval, map, merge, type Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { rankReceivers, type Ask } from '../core/election.js';
import type { MeshRules } from '../core/member.js';
import { deriveSum, electReporter, type MeshSum, type MeshView } from '../core/mesh.js';
import { RECEIVERS_SHOWN_MAX } from '../protocol/limits.js';
import type { MeshState } from '../protocol/messages.js';

/** The reporter says the mesh's state this often even if nothing changed, ms. */
const REPORT_MS = 30_000;
/** The receivers and the reporter are looked at this often, ms: a ratio may change without the sum. */
const LOOK_MS = 2_000;

/** An item that asks for nothing: who would take one cpu's worth of anybody's work. */
export const ANY_ASK: Ask = {
  owner: '',
  item: '',
  epoch: 0,
  need: { cpus: 1, labels: [], abilities: [] },
  avoid: [],
  deferred: false,
};

/**
 * The mesh's state, each time it changed and every now and then. `undefined` while nobody is online. Nobody reads the
 * receivers of a state that another reports: with `self`, they are left out of those.
 */
export function electMesh(
  sum$: Observable<MeshSum>,
  view: MeshView,
  clock: Clock,
  rules: MeshRules,
  self?: string,
): Observable<MeshState | undefined> {
  const looked$ = merge(sum$, interval(LOOK_MS, clock.scheduler)).pipe(
    map(() => formatMesh(view, clock.now(), rules, self)),
    distinctUntilChanged(isSameMesh),
  );
  const again$ = interval(REPORT_MS, clock.scheduler).pipe(map(() => formatMesh(view, clock.now(), rules, self)));
  return merge(looked$, again$);
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

/** The mesh's state at a moment; see {@link electMesh}. */
export function formatMesh(view: MeshView, now: number, rules: MeshRules, self?: string): MeshState | undefined {
  const reporter = electReporter(view, now, rules);
  if (reporter === undefined) return undefined;
  if (self !== undefined && reporter !== self) return { ...deriveSum(view, now, rules), receivers: [], reporter };
  const receivers = rankReceivers(view, ANY_ASK, now, rules).ranked.slice(0, RECEIVERS_SHOWN_MAX);
  return { ...deriveSum(view, now, rules), receivers, reporter };
}
