/**
 * The state of a bus's link as a stream: a new subscriber gets the current state first, and the same state is never
 * emitted twice in a row (a broker that is down is reported once, however often it is retried).
 */
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import { BusOffline, type BusLink, type LinkEnd } from './bus.js';

/** The link of one bus. */
export interface LinkState {
  readonly link$: Observable<BusLink>;
  isOnline(): boolean;
  reportOnline(): void;
  /** `reason` is a sentence for people. */
  reportOffline(reason: string, end?: LinkEnd): void;
  /** The error for a message that cannot be published now. */
  describeOffline(): BusOffline;
}

/** The link of a bus that has not tried to connect yet. */
export const UNTRIED: Extract<BusLink, { state: 'offline' }> = { state: 'offline', reason: 'not connected yet' };

/** Whether the bus has not tried to connect yet. */
export function isUntried(link: BusLink): boolean {
  return link.state === 'offline' && link.reason === UNTRIED.reason;
}

/** Creates a link that starts as {@link UNTRIED}. */
export function createLinkState(): LinkState {
  const state$ = new BehaviorSubject<BusLink>(UNTRIED);
  return {
    link$: state$.pipe(distinctUntilChanged((one, other) => reasonOf(one) === reasonOf(other))),
    isOnline: () => state$.value.state === 'online',
    reportOnline: () => state$.next({ state: 'online' }),
    reportOffline: (reason, end = {}) => state$.next({ state: 'offline', reason, ...end }),
    describeOffline: () => new BusOffline(reasonOf(state$.value) ?? 'the connection has just ended'),
  };
}

function reasonOf(link: BusLink): string | undefined {
  return link.state === 'offline' ? link.reason : undefined;
}
