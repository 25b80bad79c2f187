/**
 * Two ways that are one bus: the broker, and the local socket of this machine's node. What comes on both is given once,
 * what is for the own node takes the short way, and the loss of one way is no loss of the bus. It reads no more of a
 * payload than its stamp.
 */
import { BehaviorSubject, filter, map, merge, Subject, type Observable } from 'rxjs';
import type { Bus, BusLink, BusMessage } from './bus.js';
import { createLinkState } from './bus-link.js';

/** The two ways. */
export interface MergedBusOptions {
  readonly broker: Bus;
  readonly local: Bus;
  /** Whether a topic is for the own node, and may take the local way. */
  isLocal(topic: string): boolean;
  /** How long the broker may take to answer when the node is there already, ms. Default 2,000. */
  readonly brokerMs?: number | undefined;
}

/** How both ways stand. */
export interface Ways {
  readonly broker: BusLink;
  readonly local: BusLink;
}

/** A bus of two ways. */
export interface MergedBus extends Bus {
  /** Both, once they were tried; the present state first, and then each change. */
  readonly ways$: Observable<Ways>;
}

const BROKER_MS = 2000;
/** Messages by which one way may be ahead of the other, by far. */
const SEEN_MAX = 8192;
/** A stamp with its signature ends a message: no longer than this. */
const STAMP_BYTES_MAX = 200;

/**
 * Makes the bus of both. It is online when one way is, but not before both were tried: what is retained at the broker
 * would be missed. A broker that does not answer at all is waited for only a short while, when the node is there.
 */
export function createMergedBus({ broker, local, isLocal, brokerMs = BROKER_MS }: MergedBusOptions): MergedBus {
  const link = createLinkState();
  const messages$ = new Subject<BusMessage>();
  const ways$ = new BehaviorSubject<Ways | undefined>(undefined);
  const isNew = createNovelty();
  let ways: Ways = { broker: UNTRIED, local: UNTRIED };
  let isPatient = true;
  /** Messages that came by one way before the other was tried. */
  const held: BusMessage[] = [];
  let patience: NodeJS.Timeout | undefined;

  merge(broker.link$.pipe(map((to) => ({ broker: to }))), local.link$.pipe(map((to) => ({ local: to })))).subscribe(
    (change) => {
      ways = { ...ways, ...change };
      settle();
    },
  );
  merge(broker.messages$, local.messages$)
    .pipe(filter(isNew))
    .subscribe((message) => {
      if (ways$.value === undefined) held.push(message);
      else messages$.next(message);
    });

  function settle(): void {
    const isThere = ways.local.state === 'online';
    if (isUntried(ways.local) || (isUntried(ways.broker) && (isPatient || !isThere))) return;
    // Whoever is told that the bus is online finds out how: so the ways come first.
    ways$.next(ways);
    if (isThere || ways.broker.state === 'online') link.sayOnline();
    else link.sayOffline(ways.broker.reason);
    for (const message of held.splice(0)) messages$.next(message);
  }

  return {
    link$: link.link$,
    messages$: messages$.asObservable(),
    refused$: broker.refused$,
    ways$: ways$.pipe(filter((one) => one !== undefined)),
    connect() {
      patience ??= setTimeout(() => {
        isPatient = false;
        settle();
      }, brokerMs);
      local.connect();
      broker.connect();
    },
    subscribe(filters) {
      local.subscribe(filters);
      broker.subscribe(filters);
    },
    publish(message, done) {
      const way = isLocal(message.topic) && ways.local.state === 'online' ? local : broker;
      way.publish(message, done);
    },
    forget: broker.forget,
    close(done) {
      clearTimeout(patience);
      local.close(() => broker.close(done));
    },
  };
}

const UNTRIED = { state: 'offline', reason: 'not connected yet' } as const satisfies BusLink;

function isUntried(link: BusLink): boolean {
  return link.state === 'offline' && link.reason === UNTRIED.reason;
}

/**
 * Tells what has not been given yet. A node numbers what it publishes; a message without a number is given as often as
 * it comes, and so is a request: two alike are two wishes.
 */
function createNovelty(): (message: BusMessage) => boolean {
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
