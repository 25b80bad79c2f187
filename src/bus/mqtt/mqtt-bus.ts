/**
 * The bus over MQTT. It keeps the promises of the port on any broker: MQTT 5 or 3.1.1, with or without a persistent
 * store. It queues nothing and reads no payload. Online means that the broker granted the filters and was sent all
 * retained topics again, so nothing published after that is missed.
 */
import { Subject } from 'rxjs';
import { BACKOFF_DEFAULT, type Backoff } from './backoff.js';
import {
  PublishRefused,
  type Bus,
  type BusMessage,
  type BusPublish,
  type BusWill,
  type RefusedPublish,
} from '../bus.js';
import { createLinkState } from '../bus-link.js';
import { createHangUps } from './hang-ups.js';
import type { ConnectionEnd, MqttConnection } from './mqtt-connection.js';
import { createDialer } from './mqtt-dialer.js';
import type { MqttTarget, Subscription } from './mqtt-options.js';
import { describeDenial, NOT_AUTHORIZED } from './mqtt-reason.js';
import { SCHEMES } from './mqtt-stream.js';
import { findPublishFault } from '../publish-check.js';
import { createRetainedCache } from '../retained-cache.js';

/** Options of the bus; only `url` and `clientId` are required. */
export interface MqttBusOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`; may contain user and password. */
  readonly url: string;
  /** Unique per client: of two with the same id the broker disconnects the older one. */
  readonly clientId: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly will?: BusWill | undefined;
  /** PEM file of the authorities to trust for TLS, instead of the system's. */
  readonly caFile?: string | undefined;
  /** Seconds between pings; a broker silent for longer counts as gone. Default 15. */
  readonly keepaliveS?: number | undefined;
  /** Milliseconds to wait for the broker's answer to CONNECT. Default 10,000. */
  readonly answerMs?: number | undefined;
  readonly backoff?: Backoff | undefined;
  /** Jitter of the back-off; returns [0, 1). Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/**
 * Creates a bus that is not connected yet. `done` and `close` never call back from within the call.
 *
 * @throws TypeError when `url` is not a URL of one of the four schemes
 */
export function createMqttBus(options: MqttBusOptions): Bus {
  const link = createLinkState();
  const messages$ = new Subject<BusMessage>();
  const refused$ = new Subject<RefusedPublish>();
  const suspects = createHangUps();
  const filters = new Map<string, Subscription>();
  const cache = createRetainedCache();
  const target = readTarget(options);
  /** Messages that arrived before the link was reported as online. */
  let held: BusMessage[] = [];
  let connection: MqttConnection | undefined;
  let phase: 'new' | 'started' | 'closed' = 'new';

  const dialer = createDialer(
    target,
    { backoff: options.backoff ?? BACKOFF_DEFAULT, random: options.random ?? Math.random },
    { opened: handleOpen, received: handleMessage, ended: handleEnd },
  );

  function handleOpen(fresh: MqttConnection): void {
    connection = fresh;
    held = [];
    if (filters.size === 0) goOnline(fresh);
    else fresh.subscribe([...filters.values()], () => goOnline(fresh));
  }

  function goOnline(fresh: MqttConnection): void {
    if (phase !== 'started') return;
    for (const message of cache.list()) send(fresh, message);
    link.reportOnline();
    for (const message of held.splice(0)) messages$.next(message);
  }

  function handleMessage(message: BusMessage): void {
    if (link.isOnline()) messages$.next(message);
    else held.push(message);
  }

  function handleEnd({ reason, unanswered, isTakenOver, isEndedByBroker }: ConnectionEnd): void {
    connection = undefined;
    const denied = suspects.hungUp(unanswered) ? unanswered : undefined;
    if (denied === undefined) {
      const takenOver = isTakenOver ? { takenOver: true } : {};
      return link.reportOffline(reason, { ...takenOver, ...(isEndedByBroker ? { ended: true } : {}) });
    }
    // The denial is the cause, so neither a take-over nor an end by the broker is reported.
    const why = describeDenial(NOT_AUTHORIZED, target.url, target.username);
    link.reportOffline(`${reason} after a publish to ${denied}`);
    refused$.next({ topic: denied, reason: why });
  }

  function send(fresh: MqttConnection, message: BusPublish, done?: (error?: Error) => void): void {
    fresh.publish(message, (error) => {
      if (error === undefined) suspects.answered(message.topic);
      if (error === undefined) cache.settle(message);
      else if (error instanceof PublishRefused) refused$.next({ topic: message.topic, reason: error.message });
      done?.(error);
    });
  }

  return {
    link$: link.link$,
    messages$: messages$.asObservable(),
    refused$: refused$.asObservable(),
    connect() {
      if (phase !== 'new') return;
      phase = 'started';
      dialer.start();
    },
    forget: cache.forget,
    subscribe(wanted, { noLocal = false } = {}) {
      const added = wanted
        .filter((filter) => !filters.has(filter))
        .map((filter): Subscription => ({ filter, noLocal }));
      for (const one of added) filters.set(one.filter, one);
      if (added.length > 0) connection?.subscribe(added, () => {});
    },
    publish(message, done) {
      const fault = findPublishFault(message);
      if (fault === undefined) cache.remember(message);
      if (fault === undefined && connection !== undefined && link.isOnline()) return send(connection, message, done);
      const error = fault ?? link.describeOffline();
      queueMicrotask(() => done?.(error));
    },
    close(done) {
      const { will } = target;
      // The connection is closed once this is answered, or after a second.
      if (phase === 'started' && will !== undefined) connection?.publish({ ...will, qos: 1, retain: true }, () => {});
      phase = 'closed';
      dialer.stop(() => {
        connection = undefined;
        link.reportOffline('closed');
        done();
      });
    },
  };
}

function readTarget(options: MqttBusOptions): MqttTarget {
  const url = new URL(options.url);
  if (!SCHEMES.includes(url.protocol)) {
    throw new TypeError(`the broker URL has the scheme ${url.protocol}, expected one of ${SCHEMES.join(' ')}`);
  }
  return {
    url,
    clientId: options.clientId,
    username: options.username ?? readCredential(url.username),
    password: options.password ?? readCredential(url.password),
    will: options.will,
    caFile: options.caFile,
    keepaliveS: options.keepaliveS ?? 15,
    answerMs: options.answerMs ?? 10_000,
  };
}

function readCredential(encoded: string): string | undefined {
  return encoded === '' ? undefined : decodeURIComponent(encoded);
}
