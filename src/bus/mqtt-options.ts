/**
 * What MQTT.js is told for one connection: clean, no reconnecting of its own, nothing queued; and as much of MQTT 5 as
 * tritmesh uses. Pure.
 */
import type mqttClient from 'mqtt/lib/client';
import type { BusWill } from './bus.js';

/** The version of MQTT as CONNECT numbers it: 5, or 4 for MQTT 3.1.1. */
export type MqttVersion = 4 | 5;

/** Whom to connect to and as whom. */
export interface MqttTarget {
  readonly url: URL;
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly will: BusWill | undefined;
  /** PEM file of the authorities to trust for `mqtts:` and `wss:`. */
  readonly caFile: string | undefined;
  readonly keepaliveS: number;
  /** Milliseconds until a broker that does not answer CONNECT is given up. */
  readonly answerMs: number;
}

type ConnectOptions = ConstructorParameters<typeof mqttClient.default>[1];
interface SubscribeOptions {
  readonly qos: 1;
  readonly nl?: boolean;
  readonly rap?: boolean;
  readonly rh?: number;
}

/** Largest packet that a broker of MQTT 5 may send us: well above the protocol's own limit, so that excess is counted. */
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
    // Each connection is a client of its own: MQTT.js would resend what was in flight, and stays dead after a refusal.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // The other variants start a worker thread.
    timerVariant: 'native',
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(version === 5 ? { properties: { maximumPacketSize: PACKET_BYTES_MAX } } : {}),
    ...(will === undefined
      ? {}
      : { will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true } }),
  };
}

/**
 * The options of a subscription. MQTT 5: retained messages at each subscription (rh 0), and the retain flag only on
 * them, as MQTT 3.1.1 does always (rap off).
 */
export function subscribeOptions(version: MqttVersion): SubscribeOptions {
  return version === 5 ? { qos: 1, nl: false, rap: false, rh: 0 } : { qos: 1 };
}
