/**
 * The read-only view of the mesh, for programs and for the command line: what is on the bus, as typed Observables. It
 * publishes nothing and checks no signature (viewing needs none); what cannot be read is counted and passed over.
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
import type { Ranking } from '../core/election.js';
import type { MeshRules } from '../core/member.js';
import type { MeshSum } from '../core/mesh.js';
import type { Direction } from '../protocol/messages.js';
import { kindFilter, type TopicKind } from '../protocol/topics.js';
import { readHeard, type Heard } from './heard.js';
import { createMeshPicture, type ItemSeen, type MemberSeen, type MeshSnapshot } from './mesh-picture.js';

/** What a view needs. */
export interface MeshViewOptions {
  /**
   * A bus of the view's own (retained messages come once to a connection, so sharing one would miss them). The view
   * subscribes; connecting and closing it is the caller's.
   */
  readonly bus: Bus;
  /** Base topic of the mesh. */
  readonly base: string;
  readonly clock: Clock;
  /** How members are told to be online; by default as nodes do it. */
  readonly rules?: MeshRules | undefined;
}

/** The mesh as Observables. Each gives its present value first and then every change; all complete at `stop`. */
export interface MeshView {
  /** All members that were heard of, by id. */
  readonly members$: Observable<readonly MemberSeen[]>;
  readonly sum$: Observable<MeshSum>;
  readonly direction$: Observable<Direction>;
  /** Who would take an item of one cpu, best first, and the one reason why each other member would not. */
  readonly receivers$: Observable<Ranking>;
  /** All items that are on the bus, by time of submission. */
  readonly items$: Observable<readonly ItemSeen[]>;
  /** Every message as it comes, retained ones first; subscribes to the whole of the mesh's topics. Hot. */
  readonly events$: Observable<Heard>;
  /**
   * Emits once, when the retained messages are taken to have come. MQTT does not mark their end: it is when the members
   * that the reporter counts are known and nothing came for a moment, else when nothing came for 300 ms, else after 3 s
   * online.
   */
  readonly settled$: Observable<MeshSnapshot>;
  /** The mesh as known now. */
  look(): MeshSnapshot;
  /** Ends all Observables; the bus stays as it is. */
  stop(): void;
}

/** What the view always listens to. `mesh` is last: brokers that replay filter by filter send it last. */
const VIEW_KINDS: readonly TopicKind[] = ['availability', 'info', 'state', 'scum', 'status', 'mesh'];
/** What the events add to it. */
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

/** As nodes do: a session take-over publishes the old will, so `offline` counts after three seconds. */
const RULES_DEFAULT: MeshRules = { offlineAfterMs: 3000 };
/** A burst of messages changes the picture once. */
const GATHER_MS = 10;
/** Silence makes members old without a message: the picture is looked at again this often. */
const LOOK_MS = 1000;
/** Quiet that ends the retained messages when as many members are known as there are. */
const QUIET_COMPLETE_MS = 40;
/** Quiet that ends them when that is not known: several round trips of a home network. */
const QUIET_MS = 300;
/** Busy or not, a reader waits no longer. */
const SETTLE_MS_MAX = 3000;

/** Opens a view; see {@link MeshView}. */
export function meshView({ bus, base, clock, rules = RULES_DEFAULT }: MeshViewOptions): MeshView {
  const stop$ = new Subject<void>();
  const picture = createMeshPicture(rules);
  const heard$ = new Subject<Heard>();
  const changed$ = new Subject<void>();
  const look = (): MeshSnapshot => picture.look(clock.now(), clock.wall());

  // The picture is told before the readers, so that a reader of an event finds its change in `look`.
  bus.messages$
    .pipe(
      map((message) => readHeard(base, message)),
      takeUntil(stop$),
    )
    .subscribe((heard) => {
      if (picture.hear(heard, clock.now())) changed$.next();
      heard$.next(heard);
    });
  bus.subscribe(VIEW_KINDS.map((kind) => kindFilter(base, kind)));

  const moment$ = merge(changed$.pipe(auditTime(GATHER_MS, clock.scheduler)), interval(LOOK_MS, clock.scheduler));
  const snapshot$ = defer(() => moment$.pipe(map(look), startWith(look()))).pipe(
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
      return heard$.pipe(takeUntil(stop$));
    }),
    settled$: settle(bus, heard$, clock, () => picture.isComplete()).pipe(map(look), takeUntil(stop$)),
    look,
    stop() {
      stop$.next();
      heard$.complete();
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

function settle(bus: Bus, heard$: Observable<Heard>, clock: Clock, isComplete: () => boolean): Observable<unknown> {
  const { scheduler } = clock;
  return bus.link$.pipe(
    filter((link) => link.state === 'online'),
    first(),
    // A newer message begins the wait for quiet anew: switchMap drops the older wait.
    switchMap(() => {
      const quiet$ = heard$.pipe(
        startWith(undefined),
        switchMap(() => (isComplete() ? timer(QUIET_COMPLETE_MS, scheduler) : timer(QUIET_MS, scheduler))),
        first(),
      );
      return race(quiet$, timer(SETTLE_MS_MAX, scheduler));
    }),
    first(),
  );
}
