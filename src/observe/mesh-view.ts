/**
 * The read-only view of the mesh, for programs and for the command line: the contents of the bus as typed Observables.
 * It publishes nothing and verifies no signatures (viewing needs none); messages that cannot be read are counted and
 * skipped.
 */
import {
  auditTime,
  defer,
  distinctUntilChanged,
  filter,
  first,
  interval,
  map,
  merge,
  type Observable,
  race,
  shareReplay,
  startWith,
  Subject,
  switchMap,
  takeUntil,
  timer,
} from 'rxjs';
import type { Bus } from '../bus/bus.js';
import type { Clock } from '../clock/clock.js';
import type { Ranking } from '../core/mesh/ranking.js';
import type { MeshRules } from '../core/mesh/member.js';
import type { MeshSum } from '../core/mesh/member-table.js';
import type { Direction } from '../protocol/messages.js';
import { kindFilter, type TopicKind } from '../protocol/topics.js';
import { decodeBusEvent, type BusEvent } from './bus-event.js';
import { createMeshModel, type ItemSeen, type MemberSeen, type MeshSnapshot } from './mesh-model.js';

/** Options of a view. */
export interface MeshViewOptions {
  /**
   * A bus that only this view uses: a connection gets retained messages once, so a shared one would miss them. The view
   * subscribes; the caller connects and closes the bus.
   */
  readonly bus: Bus;
  /** Base topic of the mesh. */
  readonly base: string;
  readonly clock: Clock;
  /** Rules for when a member counts as online; by default those of the nodes. */
  readonly rules?: MeshRules | undefined;
}

/** The mesh as Observables. Each emits its current value first and then every change; all complete at `stop`. */
export interface MeshView {
  /** All known members, by id. */
  readonly members$: Observable<readonly MemberSeen[]>;
  /** The sum over the online members, derived as every node does it. */
  readonly sum$: Observable<MeshSum>;
  /** What the sum asks of the mesh. */
  readonly direction$: Observable<Direction>;
  /** Members that would accept an item of one cpu, best first, and for each other member the reason why not. */
  readonly receivers$: Observable<Ranking>;
  /** All items that are on the bus, by time of submission. */
  readonly items$: Observable<readonly ItemSeen[]>;
  /** Every message as it arrives, retained ones first; subscribes to all topics of the mesh. Hot. */
  readonly events$: Observable<BusEvent>;
  /**
   * Emits once, when all retained messages have probably arrived. MQTT does not mark their end. It is assumed when the
   * members that the reporter counts are known and nothing arrived for 40 ms, or else when nothing arrived for 300 ms,
   * and in any case after 3 s online.
   */
  readonly settled$: Observable<MeshSnapshot>;
  /** The current state of the mesh. */
  look(): MeshSnapshot;
  /** Completes all Observables; the bus stays connected. */
  stop(): void;
}

/** Topics that the view always subscribes to. `mesh` comes last: brokers that replay filter by filter send it last. */
const VIEW_KINDS: readonly TopicKind[] = ['availability', 'info', 'state', 'scum', 'status', 'mesh'];
/** Further topics that `events$` subscribes to. */
const EVENT_KINDS: readonly TopicKind[] = [
  'trit',
  'event',
  'set',
  'request',
  'response',
  'offer',
  'claim',
  'ack',
  'lease',
  'progress',
  'result',
];

/** Same as the nodes: a session take-over publishes the old will, so `offline` counts only after three seconds. */
const RULES_DEFAULT: MeshRules = { offlineAfterMs: 3000 };
/** A burst of messages within this time causes one new snapshot, ms. */
const COALESCE_MS = 10;
/** How often a snapshot is taken without any message, ms: silence alone makes members count as offline. */
const REFRESH_MS = 1000;
/** Quiet that ends the retained messages when all members that the reporter counts are known, ms. */
const QUIET_COMPLETE_MS = 40;
/** Quiet that ends them otherwise, ms: several round trips in a home network. */
const QUIET_MS = 300;
/** A reader waits no longer than this, however busy the bus is, ms. */
const SETTLE_MS_MAX = 3000;

/** Opens a view of the mesh; see {@link MeshView}. */
export function meshView({ bus, base, clock, rules = RULES_DEFAULT }: MeshViewOptions): MeshView {
  const stop$ = new Subject<void>();
  const model = createMeshModel(rules);
  const received$ = new Subject<BusEvent>();
  const changed$ = new Subject<void>();
  const look = (): MeshSnapshot => model.snapshot(clock.now(), clock.wall());

  // The model handles an event before readers get it: they find its change in `look`.
  bus.messages$
    .pipe(
      map((message) => decodeBusEvent(base, message)),
      takeUntil(stop$),
    )
    .subscribe((event) => {
      if (model.handle(event, clock.now())) changed$.next();
      received$.next(event);
    });
  bus.subscribe(VIEW_KINDS.map((kind) => kindFilter(base, kind)));

  const refresh$ = merge(changed$.pipe(auditTime(COALESCE_MS, clock.scheduler)), interval(REFRESH_MS, clock.scheduler));
  const snapshot$ = defer(() => refresh$.pipe(map(look), startWith(look()))).pipe(
    takeUntil(stop$),
    shareReplay({ bufferSize: 1, refCount: false }),
  );

  return {
    members$: pick(snapshot$, (snapshot) => snapshot.members),
    sum$: pick(snapshot$, (snapshot) => snapshot.sum),
    direction$: pick(snapshot$, (snapshot) => snapshot.sum.direction),
    receivers$: pick(snapshot$, (snapshot) => snapshot.receivers, describeRanking),
    items$: pick(snapshot$, (snapshot) => snapshot.items),
    events$: defer(() => {
      bus.subscribe(EVENT_KINDS.map((kind) => kindFilter(base, kind)));
      return received$.pipe(takeUntil(stop$));
    }),
    settled$: awaitRetained(bus, received$, clock, () => model.isComplete()).pipe(map(look), takeUntil(stop$)),
    look,
    stop() {
      stop$.next();
      received$.complete();
    },
  };
}

/** One part of the snapshots, each time it differs from the one before. */
function pick<T>(
  snapshot$: Observable<MeshSnapshot>,
  part: (snapshot: MeshSnapshot) => T,
  describe: (value: T) => unknown = (value) => value,
): Observable<T> {
  return snapshot$.pipe(
    map(part),
    distinctUntilChanged((before, after) => JSON.stringify(describe(before)) === JSON.stringify(describe(after))),
  );
}

function describeRanking({ ranked, full, blocked }: Ranking): unknown {
  return [ranked, full, [...blocked]];
}

function awaitRetained(
  bus: Bus,
  received$: Observable<BusEvent>,
  clock: Clock,
  isComplete: () => boolean,
): Observable<unknown> {
  const { scheduler } = clock;
  return bus.link$.pipe(
    filter((link) => link.state === 'online'),
    first(),
    // Each message restarts the wait for quiet: switchMap drops the previous wait.
    switchMap(() => {
      const quiet$ = received$.pipe(
        startWith(undefined),
        switchMap(() => (isComplete() ? timer(QUIET_COMPLETE_MS, scheduler) : timer(QUIET_MS, scheduler))),
        first(),
      );
      return race(quiet$, timer(SETTLE_MS_MAX, scheduler));
    }),
    first(),
  );
}
