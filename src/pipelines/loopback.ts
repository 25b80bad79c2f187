/**
 * Whether what this node publishes is seen on the bus. It hears its own topics like anybody's: when its birth does not come
 * back after a connect, a broker dropped it without a word (Mosquitto under MQTT 3.1.1 acknowledges what its access list
 * denies), or the node may not read. It only tells; nothing is decided by it.
 */
import { distinctUntilChanged, filter, map, merge, NEVER, scan, switchMap, timer, type Observable } from 'rxjs';
import type { BusLink, BusMessage } from '../bus/bus.js';
import type { Clock } from '../clock/clock.js';

/** What it listens to. */
export interface LoopbackParts {
  readonly link$: Observable<BusLink>;
  readonly messages$: Observable<BusMessage>;
  /** The topic that must come back after each connect: this node's birth. */
  readonly topic: string;
  readonly clock: Clock;
}

/** How long an own message may take to come back, ms: a broker may have a whole mesh of retained topics to tell first. */
const ECHO_MS = 10_000;

/** Emits `false` when nothing came back in time, and `true` when it does again; never `true` first. */
export function watchLoopback({ link$, messages$, topic, clock }: LoopbackParts): Observable<boolean> {
  // What the broker kept from before says nothing of now.
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
    // An echo may come before the link is said to be online; it counts until the connection ends.
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
