/**
 * One network connection to an MQTT broker, from CONNECT to its end; it is never used again. It says what happened and
 * decides nothing: whether to try again, and when, is its caller's.
 */
import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type mqttClient from 'mqtt/lib/client';
import type { BusMessage, BusPublish, PublishDone } from './bus.js';
import { connectOptions, subscribeOptions, type MqttTarget, type MqttVersion } from './mqtt-options.js';
import { describeFailure, describeRefusal, isVersionRefusal, namePlace, readRefusal } from './mqtt-reason.js';
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

/** How long the broker may take to answer what is in flight and to hang up after DISCONNECT. */
const HANG_UP_MS = 1000;

/** Opens a connection in version `version`. */
export function openConnection(target: MqttTarget, version: MqttVersion, events: ConnectionEvents): MqttConnection {
  const pending = new Set<PublishDone>();
  let client: InstanceType<typeof MqttClient> | undefined;
  let isOpen = false;
  let isEnded = false;
  let reason: string | undefined;
  let isVersionRefused = false;
  let hangUp: NodeJS.Timeout | undefined;

  function start(openStream: () => Duplex): void {
    if (isEnded) return;
    const stream = openStream();
    // MQTT.js passes on only the errors that have a code.
    stream.on('error', fail);
    client = new MqttClient(() => stream, connectOptions(target, version));
    client.on('connect', open);
    client.on('message', (topic, payload, packet) => events.heard({ topic, payload, retained: packet.retain }));
    client.on('disconnect', (packet) => (reason ??= describeRefusal(packet.reasonCode ?? 128, target.url)));
    client.on('error', fail);
    client.on('close', finish);
  }

  function open(): void {
    isOpen = true;
    events.opened();
  }

  function fail(error: Error): void {
    const refusal = isOpen ? undefined : readRefusal(error);
    isVersionRefused ||= refusal !== undefined && isVersionRefusal(refusal);
    reason ??= refusal === undefined ? describeFailure(error, target.url) : describeRefusal(refusal, target.url);
    if (client === undefined) finish();
    else client.stream.destroy();
  }

  function finish(): void {
    if (isEnded) return;
    isEnded = true;
    isOpen = false;
    clearTimeout(hangUp);
    reason ??= `the broker at ${namePlace(target.url)} closed the connection`;
    const error = new Error(`no answer before the connection ended: ${reason}`);
    for (const done of pending) queueMicrotask(() => done(error));
    pending.clear();
    // Frees its timers; what it would still call back has been called.
    client?.end(true);
    events.ended({ reason, isVersionRefused });
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
        queueMicrotask(() => done(new Error('the connection has ended')));
        return;
      }
      if (qos === 0) {
        // With a callback MQTT.js adds a `drain` listener for each message while the socket is full.
        client.publish(topic, payload, { qos, retain });
        queueMicrotask(done);
        return;
      }
      pending.add(done);
      client.publish(topic, payload, { qos, retain }, (error) => {
        if (pending.delete(done)) done(error ?? undefined);
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

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
