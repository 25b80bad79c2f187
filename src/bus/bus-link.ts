/**
 * The state of a bus's link and its telling: a new subscriber hears the present state first, and nobody hears the same
 * thing twice in a row (a broker that is down is said once, however often it is tried).
 */
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import { BusOffline, type BusLink, type LinkEnd } from './bus.js';

/** The link of one bus. */
export interface LinkState {
  readonly link$: Observable<BusLink>;
  isOnline(): boolean;
  sayOnline(): void;
  /** `reason` is a sentence for people. */
  sayOffline(reason: string, end?: LinkEnd): void;
  /** The error for what could not be said now. */
  describeOffline(): BusOffline;
}

/** Makes a link that is `offline` because it is `not connected yet`. */
export function createLinkState(): LinkState {
  const state$ = new BehaviorSubject<BusLink>({ state: 'offline', reason: 'not connected yet' });
  return {
    link$: state$.pipe(distinctUntilChanged((one, other) => reasonOf(one) === reasonOf(other))),
    isOnline: () => state$.value.state === 'online',
    sayOnline: () => state$.next({ state: 'online' }),
    sayOffline: (reason, end = {}) => state$.next({ state: 'offline', reason, ...end }),
    describeOffline: () => new BusOffline(reasonOf(state$.value) ?? 'the connection has just ended'),
  };
}

function reasonOf(link: BusLink): string | undefined {
  return link.state === 'offline' ? link.reason : undefined;
}
