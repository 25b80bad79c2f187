/**
 * Checks whether what this node publishes is visible on the bus. A node receives its own topics like any other: when
 * its birth does not come back after a connect, either a broker dropped it silently (Mosquitto under MQTT 3.1.1
 * acknowledges what its access list denies), or the node may not read. This stage only reports; it decides nothing.
 */
import { distinctUntilChanged, filter, map, merge, NEVER, scan, switchMap, timer, type Observable } from 'rxjs';
import type { BusLink, BusMessage } from '../../bus/bus.js';
import type { Clock } from '../../clock/clock.js';

/** What the check observes. */
export interface LoopbackDeps {
  readonly link$: Observable<BusLink>;
  readonly messages$: Observable<BusMessage>;
  /** The topic that must come back after each connect: this node's birth. */
  readonly topic: string;
  readonly clock: Clock;
}

/** How long a message may take to come back, ms: a broker may have a whole mesh of retained topics to send first. */
const ECHO_MS = 10_000;

/** Emits `false` when nothing came back in time, and `true` when it does again; never `true` first. */
export function watchLoopback({ link$, messages$, topic, clock }: LoopbackDeps): Observable<boolean> {
  // A retained message from before proves nothing about now.
  const echo$ = messages$.pipe(
    filter((message) => !message.retained && message.topic === topic),
    map(() => true),
  );
  const overdue$ = link$.pipe(
    switchMap((link) => (link.state === 'online' ? timer(ECHO_MS, clock.scheduler) : NEVER)),
    map(() => false),
  );
  const lost$ = link$.pipe(
    filter((link) => link.state === 'offline'),
    map(() => undefined),
  );
  return merge(echo$, overdue$, lost$).pipe(
    // An echo may arrive before the link is reported as online; it counts until the connection ends.
    scan(judge, { seen: false, verdict: undefined as boolean | undefined }),
    map(({ verdict }) => verdict),
    filter((verdict) => verdict !== undefined),
    distinctUntilChanged(),
  );
}

interface Judgement {
  readonly seen: boolean;
  /** `undefined` until something is known to be wrong. */
  readonly verdict: boolean | undefined;
}

function judge(before: Judgement, event: boolean | undefined): Judgement {
  if (event === undefined) return { ...before, seen: false };
  if (event) return { seen: true, verdict: before.verdict === undefined ? undefined : true };
  return before.seen ? before : { seen: false, verdict: false };
}
