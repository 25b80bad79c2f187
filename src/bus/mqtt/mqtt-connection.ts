/**
 * One network connection to an MQTT broker, from CONNECT to its end; it is never reused. It reports what happened and
 * decides nothing: whether and when to reconnect is up to the caller.
 */
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type mqttClient from 'mqtt/lib/client';
import { toError } from '../../os/errors.js';
import { BusOffline, PublishRefused, type BusMessage, type BusPublish, type PublishDone } from '../bus.js';
import {
  connectOptions,
  subscriptionMap,
  type MqttTarget,
  type MqttVersion,
  type Subscription,
} from './mqtt-options.js';
import {
  describeDenial,
  describeFailure,
  describeRefusal,
  isVersionRefusal,
  namePlace,
  readMqttCode,
} from './mqtt-reason.js';
import { prepareStream } from './mqtt-stream.js';

/**
 * Only the client of MQTT.js: it loads in 85 ms instead of 140. Loaded with `require`, because Node and bundlers
 * disagree on what the default import of this CommonJS module is.
 */
const { default: MqttClient } = createRequire(import.meta.url)('mqtt/lib/client') as typeof mqttClient;

/** How a connection ended. */
export interface ConnectionEnd {
  /** A sentence for people. */
  readonly reason: string;
  /** The broker does not support the requested version of MQTT. */
  readonly isVersionRefused: boolean;
  /**
   * Topic of a publish that was still unanswered when the broker hung up without a reason, which is how an MQTT 3.1.1
   * broker may deny a publish.
   */
  readonly unanswered: string | undefined;
  /** Another client with the same client id replaced this one. */
  readonly isTakenOver: boolean;
  /** The broker ended an established connection. */
  readonly isEndedByBroker: boolean;
}

/** What a connection reports; `ended` is the last event, and always comes exactly once. */
export interface ConnectionEvents {
  /** The broker accepted the connection. */
  opened(): void;
  received(message: BusMessage): void;
  ended(end: ConnectionEnd): void;
}

/**
 * A connection. Each `done` of a publish is called once: never from within the call, and at the latest when it ends.
 */
export interface MqttConnection {
  /**
   * Subscribes to filters; if the broker refuses one, the connection ends with that reason and `done` is not called.
   */
  subscribe(wanted: readonly Subscription[], done: () => void): void;
  publish(message: BusPublish, done: PublishDone): void;
  /** Ends the connection, with a DISCONNECT if it is open. */
  close(): void;
}

/** `Session taken over`, MQTT 5. */
const TAKEN_OVER = 142;

/** How long the broker may take, after DISCONNECT, to answer what is in flight and to close the connection. */
const HANG_UP_MS = 1000;

/** Opens a connection that speaks `version`. */
export function openConnection(target: MqttTarget, version: MqttVersion, events: ConnectionEvents): MqttConnection {
  /** Publishes that wait for an answer, with their topics, oldest first. */
  const pending = new Map<PublishDone, string>();
  let client: InstanceType<typeof MqttClient> | undefined;
  let isOpen = false;
  let isEnded = false;
  let reason: string | undefined;
  let isVersionRefused = false;
  let isTakenOver = false;
  let hasDisconnect = false;
  let wasOpen = false;
  let hangUp: NodeJS.Timeout | undefined;

  function start(openStream: () => Duplex): void {
    if (isEnded) return;
    const stream = openStream();
    // MQTT.js passes on only errors that have a code.
    stream.on('error', handleError);
    client = new MqttClient(() => stream, connectOptions(target, version));
    client.on('connect', open);
    client.on('message', (topic, payload, packet) => events.received({ topic, payload, retained: packet.retain }));
    client.on('disconnect', ({ reasonCode = 128 }) => {
      isTakenOver = reasonCode === TAKEN_OVER;
      hasDisconnect = true;
      reason ??= describeRefusal(reasonCode, target.url);
    });
    client.on('error', handleError);
    client.on('close', finish);
  }

  function open(): void {
    isOpen = true;
    wasOpen = true;
    events.opened();
  }

  function handleError(error: Error): void {
    const refusal = isOpen ? undefined : readMqttCode(error);
    isVersionRefused ||= refusal !== undefined && isVersionRefusal(refusal);
    reason ??=
      refusal === undefined ? describeFailure(error, target.url) : describeRefusal(refusal, target.url, target);
    if (client === undefined) finish();
    else client.stream.destroy();
  }

  function finish(): void {
    if (isEnded) return;
    isEnded = true;
    isOpen = false;
    clearTimeout(hangUp);
    const [oldest] = pending.values();
    const unanswered = reason === undefined ? oldest : undefined;
    const isEndedByBroker = wasOpen && (reason === undefined || hasDisconnect);
    reason ??= `the broker at ${namePlace(target.url)} closed the connection`;
    const error = new BusOffline(`no answer before the connection ended: ${reason}`);
    for (const done of pending.keys()) queueMicrotask(() => done(error));
    pending.clear();
    // Frees its timers; every callback it would still make has been made.
    client?.end(true);
    events.ended({ reason, isVersionRefused, unanswered, isTakenOver, isEndedByBroker });
  }

  prepareStream(target.url, target.caFile).then(start, (error: unknown) => handleError(toError(error)));

  return {
    subscribe(wanted, done) {
      client?.subscribe(subscriptionMap(wanted, version), (error) => {
        if (isEnded) return;
        if (error === null) done();
        else handleError(new Error(`the broker refused a subscription (${error.message})`));
      });
    },
    publish({ topic, payload, qos, retain }, done) {
      if (client === undefined || !isOpen) {
        queueMicrotask(() => done(new BusOffline('the connection has ended')));
        return;
      }
      if (qos === 0) {
        // Given a callback, MQTT.js would add a `drain` listener for each message while the socket is full.
        client.publish(topic, payload, { qos, retain });
        queueMicrotask(done);
        return;
      }
      pending.set(done, topic);
      client.publish(topic, payload, { qos, retain }, (error) => {
        if (pending.delete(done)) done(describePublishError(error, target));
      });
    },
    close() {
      if (isEnded) return;
      reason ??= 'closed';
      if (client === undefined) return finish();
      if (!isOpen) return void client.stream.destroy();
      hangUp = setTimeout(() => client?.stream.destroy(), HANG_UP_MS);
      client.end();
    },
  };
}

/** An answer with a reason code is a refusal; any other error is passed on unchanged. */
function describePublishError(error: Error | null | undefined, target: MqttTarget): Error | undefined {
  const code = error === null || error === undefined ? undefined : readMqttCode(error);
  if (code === undefined || code < REFUSED_MIN) return error ?? undefined;
  return new PublishRefused(describeDenial(code, target.url, target.username));
}

/** The lowest MQTT 5 reason code that means an error. */
const REFUSED_MIN = 128;
