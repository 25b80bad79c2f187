/**
 * The port to the bus: MQTT as tritmesh uses it. An adapter moves bytes and remembers what to publish again after a
 * reconnect; it decides nothing and reads no payload. Nothing here throws or rejects once the bus is created: failures
 * are reported on `link$` or in `done`.
 */
import type { Observable } from 'rxjs';

/** A received message. */
export interface BusMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Replayed by the broker from its store rather than published just now. */
  readonly retained: boolean;
}

/** A message to publish. */
export interface BusPublish {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** The state of the connection. */
export type BusLink =
  | { readonly state: 'online' }
  /** `reason` is a sentence for people, such as `connection refused at mqtt://host:1883`. */
  | {
      readonly state: 'offline';
      readonly reason: string;
      /** Another client with the same client id replaced this one. Only MQTT 5 brokers report it. */
      readonly takenOver?: boolean;
      /** The broker ended an established connection, with or without a reason. */
      readonly ended?: boolean;
    };

/** What is known about a lost connection besides its reason. */
export type LinkEnd = Pick<Extract<BusLink, { state: 'offline' }>, 'takenOver' | 'ended'>;

/** Called once the outcome is known: without an argument when the broker has the message, otherwise with the error. */
export type PublishDone = (error?: Error) => void;

/** How to subscribe. */
export interface SubscribeOptions {
  /**
   * The broker need not send back what this client published itself; MQTT 5 calls it "no local". A hint: on a broker
   * with MQTT 3.1.1 only, the messages come anyway, and so does what another filter without it matches.
   */
  readonly noLocal?: boolean | undefined;
}

/** A connection to one broker. */
export interface Bus {
  /** The link; a new subscriber gets the current state first. Starts `offline` with the reason `not connected yet`. */
  readonly link$: Observable<BusLink>;
  /** All messages that match the subscribed filters, in order of arrival. Hot; subscribe before `connect`. */
  readonly messages$: Observable<BusMessage>;
  /**
   * Publishes that the broker refused, each time it reports one: usually denied by its access list. Some brokers drop
   * such a message silently (Mosquitto under MQTT 3.1.1); then only one's own message that never comes back shows it.
   * Hot.
   */
  readonly refused$: Observable<RefusedPublish>;
  /** Starts connecting and keeps trying; a no-op when called again. */
  connect(): void;
  /** Adds filters; they are remembered, with their first options, and subscribed again at each connect. */
  subscribe(filters: readonly string[], options?: SubscribeOptions): void;
  /**
   * Publishes a message. While offline it fails at once with `BusOffline` and nothing is queued; but the last retained
   * payload of each topic is remembered and published at each connect, so all of them return after a broker lost its
   * store. A retained empty payload forgets the topic and clears it at the broker.
   */
  publish(message: BusPublish, done?: PublishDone): void;
  /**
   * Stops remembering a retained topic and leaves it at the broker as it is: for a topic that another writer took over.
   */
  forget(topic: string): void;
  /** Publishes the will's payload if there is a will, disconnects without triggering the will, and calls back. */
  close(done: () => void): void;
}

/** A publish that the broker refused. */
export interface RefusedPublish {
  readonly topic: string;
  /** A sentence for people, such as `the broker at mqtt://host:1883 does not let user bob write there`. */
  readonly reason: string;
}

/** What the broker publishes for this client when its connection is lost. Retained, QoS 1. */
export interface BusWill {
  readonly topic: string;
  readonly payload: string;
}

/** The broker refused the message, and would refuse it again. */
export class PublishRefused extends Error {
  override readonly name = 'PublishRefused';
}

/** The message was not published, because there is no connection. */
export class BusOffline extends Error {
  override readonly name = 'BusOffline';
}
