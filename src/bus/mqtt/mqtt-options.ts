/**
 * The options of MQTT.js for one connection: a clean session, no reconnects by the library, nothing queued, and as much
 * of MQTT 5 as tritmesh uses. Pure.
 */
import type mqttClient from 'mqtt/lib/client';
import type { BusWill } from '../bus.js';

/** The version of MQTT as CONNECT encodes it: 5, or 4 for MQTT 3.1.1. */
export type MqttVersion = 4 | 5;

/** Which broker to connect to, and as which client. */
export interface MqttTarget {
  readonly url: URL;
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly will: BusWill | undefined;
  /** PEM file of the authorities to trust for `mqtts:` and `wss:`. */
  readonly caFile: string | undefined;
  readonly keepaliveS: number;
  /** Milliseconds to wait for the broker's answer to CONNECT. */
  readonly answerMs: number;
}

type ConnectOptions = ConstructorParameters<typeof mqttClient.default>[1];
interface SubscribeOptions {
  readonly qos: 1;
  readonly nl?: boolean;
  readonly rap?: boolean;
  readonly rh?: number;
}

/**
 * Largest packet an MQTT 5 broker may send: well above the protocol's limit, so oversized messages arrive and are
 * counted.
 */
const PACKET_BYTES_MAX = 1024 * 1024;

/** The options of one connection. */
export function connectOptions(target: MqttTarget, version: MqttVersion): ConnectOptions {
  const { username, password, will } = target;
  return {
    protocolVersion: version,
    clientId: target.clientId,
    clean: true,
    keepalive: target.keepaliveS,
    connectTimeout: target.answerMs,
    // A new client per connection: MQTT.js would resend what was in flight, and never recovers from a refusal.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // The other timer variants start a worker thread.
    timerVariant: 'native',
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(version === 5 ? { properties: { maximumPacketSize: PACKET_BYTES_MAX } } : {}),
    ...(will === undefined
      ? {}
      : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true } }),
  };
}

/** A filter to subscribe to. */
export interface Subscription {
  readonly filter: string;
  /** See SubscribeOptions of the port. */
  readonly noLocal: boolean;
}

/**
 * The options of each filter, for MQTT.js. In MQTT 5: retained messages are sent at each subscription (rh 0), and only
 * those carry the retain flag (rap off), as always in MQTT 3.1.1.
 */
export function subscriptionMap(
  wanted: readonly Subscription[],
  version: MqttVersion,
): Record<string, SubscribeOptions> {
  return Object.fromEntries(
    wanted.map(({ filter, noLocal }) => [
      filter,
      version === 5 ? { qos: 1, nl: noLocal, rap: false, rh: 0 } : { qos: 1 },
    ]),
  );
}
