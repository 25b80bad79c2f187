/**
 * One network connection to an MQTT broker, from CONNECT to its end; it is never used again. It says what happened and
 * decides nothing: whether to try again, and when, is its caller's.
 */
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type mqttClient from 'mqtt/lib/client';
import { BusOffline, PublishRefused, type BusMessage, type BusPublish, type PublishDone } from './bus.js';
import { connectOptions, subscribeOptions, type MqttTarget, type MqttVersion } from './mqtt-options.js';
import {
  describeDenial,
  describeFailure,
  describeRefusal,
  isVersionRefusal,
  namePlace,
  readRefusal,
} from './mqtt-reason.js';
import { prepareStream } from './mqtt-stream.js';

/**
 * MQTT.js's client without the rest of it: 85 ms to load instead of 140. Required, since Node and bundlers disagree on
 * what the default import of this CommonJS module is.
 */
const { default: MqttClient } = createRequire(import.meta.url)('mqtt/lib/client') as typeof mqttClient;

/** How a connection came to its end. */
export interface ConnectionEnd {
  /** A sentence for people. */
  readonly reason: string;
  /** The broker does not speak the version that was asked for. */
  readonly isVersionRefused: boolean;
  /** The broker hung up without a reason, and had not answered a publish to this topic: its way to deny one in MQTT 3.1.1. */
  readonly unanswered: string | undefined;
  /** The broker let a client of the same id in instead. */
  readonly isTakenOver: boolean;
  /** The broker ended a connection that stood. */
  readonly isEndedByBroker: boolean;
}

/** What a connection tells; `ended` is the last, and comes always and once. */
export interface ConnectionEvents {
  /** The broker let us in. */
  opened(): void;
  heard(message: BusMessage): void;
  ended(end: ConnectionEnd): void;
}

/** A connection. Each `done` of a publish is called once, never from within the call, at the latest at the end. */
export interface MqttConnection {
  /** Asks for filters; if the broker refuses one, the connection ends with that reason and `done` is not called. */
  subscribe(filters: readonly string[], done: () => void): void;
  publish(message: BusPublish, done: PublishDone): void;
  /** Ends it, after a DISCONNECT when it is open. */
  close(): void;
}

/** `Session taken over`, MQTT 5. */
const TAKEN_OVER = 142;

/** How long the broker may take to answer what is in flight and to hang up after DISCONNECT. */
const HANG_UP_MS = 1000;

/** Opens a connection in version `version`. */
export function openConnection(target: MqttTarget, version: MqttVersion, events: ConnectionEvents): MqttConnection {
  /** Publishes that wait for their answer, with their topics, oldest first. */
  const pending = new Map<PublishDone, string>();
  let client: InstanceType<typeof MqttClient> | undefined;
  let isOpen = false;
  let isEnded = false;
  let reason: string | undefined;
  let isVersionRefused = false;
  let isTakenOver = false;
  let isFarewell = false;
  let wasOpen = false;
  let hangUp: NodeJS.Timeout | undefined;

  function start(openStream: () => Duplex): void {
    if (isEnded) return;
    const stream = openStream();
    // MQTT.js passes on only the errors that have a code.
    stream.on('error', fail);
    client = new MqttClient(() => stream, connectOptions(target, version));
    client.on('connect', open);
    client.on('message', (topic, payload, packet) => events.heard({ topic, payload, retained: packet.retain }));
    client.on('disconnect', ({ reasonCode = 128 }) => {
      isTakenOver = reasonCode === TAKEN_OVER;
      isFarewell = true;
      reason ??= describeRefusal(reasonCode, target.url);
    });
    client.on('error', fail);
    client.on('close', finish);
  }

  function open(): void {
    isOpen = true;
    wasOpen = true;
    events.opened();
  }

  function fail(error: Error): void {
    const refusal = isOpen ? undefined : readRefusal(error);
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
    const isEndedByBroker = wasOpen && (reason === undefined || isFarewell);
    reason ??= `the broker at ${namePlace(target.url)} closed the connection`;
    const error = new BusOffline(`no answer before the connection ended: ${reason}`);
    for (const done of pending.keys()) queueMicrotask(() => done(error));
    pending.clear();
    // Frees its timers; what it would still call back has been called.
    client?.end(true);
    events.ended({ reason, isVersionRefused, unanswered, isTakenOver, isEndedByBroker });
  }

  prepareStream(target.url, target.caFile).then(start, (error: unknown) => fail(asError(error)));

  return {
    subscribe(filters, done) {
      client?.subscribe([...filters], subscribeOptions(version), (error) => {
        if (isEnded) return;
        if (error === null) done();
        else fail(new Error(`a subscription was refused (${error.message})`));
      });
    },
    publish({ topic, payload, qos, retain }, done) {
      if (client === undefined || !isOpen) {
        queueMicrotask(() => done(new BusOffline('the connection has ended')));
        return;
      }
      if (qos === 0) {
        // With a callback MQTT.js adds a `drain` listener for each message while the socket is full.
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

/** An answer with a code is a refusal; what else fails is told as it is. */
function describePublishError(error: Error | null | undefined, target: MqttTarget): Error | undefined {
  const code = error === null || error === undefined ? undefined : readRefusal(error);
  if (code === undefined || code < REFUSED_MIN) return error ?? undefined;
  return new PublishRefused(describeDenial(code, target.url, target.username));
}

/** The lowest reason code of MQTT 5 that says no. */
const REFUSED_MIN = 128;

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
