/**
 * One bus over two routes: the broker, and the local socket of this machine's node. A message that arrives on both is
 * emitted once, requests to the own node take the local route, and the bus stays online while either route is up. It
 * reads no more of a payload than its stamp.
 */
import { BehaviorSubject, filter, map, merge, Subject, type Observable } from 'rxjs';
import type { Bus, BusLink, BusMessage } from '../bus.js';
import { createLinkState, isUntried, UNTRIED } from '../bus-link.js';

/** The two routes. */
export interface MergedBusOptions {
  readonly broker: Bus;
  readonly local: Bus;
  /** Whether a topic is addressed to the own node, and may take the local route. */
  isLocal(topic: string): boolean;
  /** How long to wait for the broker once the local node is connected, ms. Default 2,000. */
  readonly brokerMs?: number | undefined;
}

/** The state of both routes. */
export interface Routes {
  readonly broker: BusLink;
  readonly local: BusLink;
}

/** A bus over two routes. */
export interface MergedBus extends Bus {
  /** The state of both, once both were tried; the current state first, then each change. */
  readonly routes$: Observable<Routes>;
}

const BROKER_MS = 2000;
/** Number of messages remembered to detect duplicates: far more than one route can be ahead of the other. */
const SEEN_MAX = 8192;
/** Longest stamp with its signature, which end a message. */
const STAMP_BYTES_MAX = 200;

/**
 * Creates the bus over both. It is online when either route is, but not before both were tried: otherwise retained
 * messages at the broker would be missed. A broker that does not answer is waited for only briefly once the node is
 * connected.
 */
export function createMergedBus({ broker, local, isLocal, brokerMs = BROKER_MS }: MergedBusOptions): MergedBus {
  const link = createLinkState();
  const messages$ = new Subject<BusMessage>();
  const routes$ = new BehaviorSubject<Routes | undefined>(undefined);
  const isNew = createDuplicateFilter();
  let routes: Routes = { broker: UNTRIED, local: UNTRIED };
  let isWaitingForBroker = true;
  /** Messages that arrived on one route before the other was tried. */
  const held: BusMessage[] = [];
  let brokerTimer: NodeJS.Timeout | undefined;

  merge(broker.link$.pipe(map((to) => ({ broker: to }))), local.link$.pipe(map((to) => ({ local: to })))).subscribe(
    (change) => {
      routes = { ...routes, ...change };
      settle();
    },
  );
  merge(broker.messages$, local.messages$)
    .pipe(filter(isNew))
    .subscribe((message) => {
      if (routes$.value === undefined) held.push(message);
      else messages$.next(message);
    });

  function settle(): void {
    const isThere = routes.local.state === 'online';
    if (isUntried(routes.local) || (isUntried(routes.broker) && (isWaitingForBroker || !isThere))) return;
    // The routes first: a subscriber that sees the bus online may read which route it is.
    routes$.next(routes);
    if (isThere || routes.broker.state === 'online') link.reportOnline();
    else link.reportOffline(routes.broker.reason);
    for (const message of held.splice(0)) messages$.next(message);
  }

  return {
    link$: link.link$,
    messages$: messages$.asObservable(),
    refused$: broker.refused$,
    routes$: routes$.pipe(filter((one) => one !== undefined)),
    connect() {
      brokerTimer ??= setTimeout(() => {
        isWaitingForBroker = false;
        settle();
      }, brokerMs);
      local.connect();
      broker.connect();
    },
    subscribe(filters, options) {
      local.subscribe(filters, options);
      broker.subscribe(filters, options);
    },
    publish(message, done) {
      const route = isLocal(message.topic) && routes.local.state === 'online' ? local : broker;
      route.publish(message, done);
    },
    forget: broker.forget,
    close(done) {
      clearTimeout(brokerTimer);
      local.close(() => broker.close(done));
    },
  };
}

/**
 * Returns whether a message has not been emitted yet, by the number that a node gives each message. A message without a
 * number always passes, and so does a request: two equal requests are two requests.
 */
function createDuplicateFilter(): (message: BusMessage) => boolean {
  const seen = new Set<string>();
  return ({ topic, payload }) => {
    const tail = Buffer.from(payload.subarray(-STAMP_BYTES_MAX)).toString('latin1');
    const stamp = /"boot":\d+,"seq":\d+(?:,"sig":"[^"]*")?\}$/.exec(tail)?.[0];
    if (stamp === undefined || topic.includes('/request/')) return true;
    const key = `${topic} ${stamp}`;
    if (seen.has(key)) return false;
    const [oldest] = seen.size >= SEEN_MAX ? seen : [];
    if (oldest !== undefined) seen.delete(oldest);
    seen.add(key);
    return true;
  };
}
