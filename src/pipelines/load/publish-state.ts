/**
 * The publish stage: which messages about this node are published, and when. A change that others decide by goes out at
 * once, drifting numbers go out at a slower pace, and nothing is published faster than readers can use it.
 */
import {
  auditTime,
  distinctUntilChanged,
  filter,
  interval,
  map,
  merge,
  skip,
  take,
  throttleTime,
  type Observable,
} from 'rxjs';
import type { Clock } from '../../clock/clock.js';
import type { Scum, State } from '../../protocol/messages.js';

/** Slots change with every claim, and most claims are soon withdrawn: others learn the outcome after this long, ms. */
const SLOTS_MS = 250;
/** The SCUM list is published at most this often, ms. */
const SCUM_MS = 5000;

/**
 * The states to publish: at once when the trit or the acceptance changed, soon when slots or counts did, and every
 * `everyMs` in any case.
 */
export function publishState(
  state$: Observable<State>,
  read: () => State | undefined,
  everyMs: number,
  clock: Clock,
): Observable<State> {
  const decisive$ = state$.pipe(distinctUntilChanged((a, b) => decisiveText(a) === decisiveText(b)));
  const settled$ = state$.pipe(distinctUntilChanged(hasSameCounts), auditTime(SLOTS_MS, clock.scheduler));
  // The first state is already published as a decisive one; here it is only the value to compare with.
  const countable$ = merge(state$.pipe(take(1)), settled$).pipe(distinctUntilChanged(hasSameCounts), skip(1));
  const regular$ = interval(everyMs, clock.scheduler);
  return merge(decisive$, countable$, regular$).pipe(
    map(() => read()),
    filter((state) => state !== undefined),
    // The same state twice within one turn is not news; the regular one is a new object each time.
    distinctUntilChanged(),
  );
}

function decisiveText(state: State): string {
  return `${state.trit} ${state.draining} ${state.accepting} ${state.disk_free_bytes === 0} ${state.copy ?? ''}`;
}

function hasSameCounts(a: State, b: State): boolean {
  return countableText(a) === countableText(b);
}

function countableText(state: State): string {
  // Free space is published soon each time it halves, and otherwise with the regular state.
  const room = Math.floor(Math.log2(Math.max(1, state.disk_free_bytes ?? 1)));
  return `${state.slots_free} ${state.guests} ${state.queued} ${state.deferred} ${state.scum} ${room}`;
}

/** The SCUM lists to publish. */
export function publishScum(scum$: Observable<Scum>, clock: Clock): Observable<Scum> {
  return scum$.pipe(
    distinctUntilChanged((a, b) => scumText(a) === scumText(b)),
    throttleTime(SCUM_MS, clock.scheduler, { leading: true, trailing: true }),
  );
}

/**
 * What makes two lists different to a reader: their members and what is done about them, not every drifting percent.
 */
function scumText(scum: Scum): string {
  return scum.items
    .map(
      (one) =>
        `${one.pid} ${one.action} ${one.movable} ${one.acts} ${one.throttled_percent} ${Math.round(one.score * 10)}`,
    )
    .join(',');
}
