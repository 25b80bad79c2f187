/**
 * The port to the bus: MQTT as tritmesh uses it. An adapter moves bytes and remembers what must be said again; it
 * decides nothing and reads no payload. Nothing here throws or rejects once the bus is made: what goes wrong is said on
 * `link$` or in `done`.
 */
import type { Observable } from 'rxjs';

/** A message as it came in. */
export interface BusMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** Replayed by the broker from its store, not said just now. */
  readonly retained: boolean;
}

/** A message to be said. */
export interface BusPublish {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** How the connection stands. */
export type BusLink =
  | { readonly state: 'online' }
  /** `reason` is a sentence for people, such as `connection refused at mqtt://host:1883`. */
  | {
      readonly state: 'offline';
      readonly reason: string;
      /** The broker let a client of the same id in instead. Only brokers of MQTT 5 say so. */
      readonly takenOver?: boolean;
      /** The broker ended a connection that stood, with or without saying why. */
      readonly ended?: boolean;
    };

/** What is known of an end beside its reason. */
export type LinkEnd = Pick<Extract<BusLink, { state: 'offline' }>, 'takenOver' | 'ended'>;

/** Called once a message was taken: without an argument when the broker has it, else with the reason. */
export type PublishDone = (error?: Error) => void;

/** A connection to one broker. */
export interface Bus {
  /** The link; a new subscriber gets the present state first. Starts `offline` with the reason `not connected yet`. */
  readonly link$: Observable<BusLink>;
  /** All messages of the subscribed filters, in the order they came. Hot; subscribe before `connect`. */
  readonly messages$: Observable<BusMessage>;
  /**
   * What the broker would not take, each time it says so: a publish that its access list denies. Some brokers drop it without a
   * word (Mosquitto under MQTT 3.1.1); what was heard of one's own topics tells. Hot.
   */
  readonly refused$: Observable<RefusedPublish>;
  /** Starts connecting and never stops trying; a no-op when called again. */
  connect(): void;
  /** Adds filters; remembered, and asked for again at each connect. */
  subscribe(filters: readonly string[]): void;
  /**
   * Says a message. Offline, it fails at once with `BusOffline`, nothing is queued; but the last retained payload of
   * each topic is remembered and said at each connect (after a broker lost its store, all of them return by
   * themselves). A retained empty payload forgets the topic, and clears it at the broker.
   */
  publish(message: BusPublish, done?: PublishDone): void;
  /**
   * Remembers a retained topic no longer and leaves it at the broker as it is: for a topic that another writer has taken over.
   */
  forget(topic: string): void;
  /** Says the last word (the will's payload) if one was given, disconnects without triggering the will, calls back. */
  close(done: () => void): void;
}

/** A publish that the broker did not take. */
export interface RefusedPublish {
  readonly topic: string;
  /** A sentence for people, such as `the broker at mqtt://host:1883 does not let user bob write there`. */
  readonly reason: string;
}

/** What the broker says for us when we are gone without a word. Retained, QoS 1. */
export interface BusWill {
  readonly topic: string;
  readonly payload: string;
}

/** The broker did not take the message, and would not take it again. */
export class PublishRefused extends Error {
  override readonly name = 'PublishRefused';
}

/** The message was not said, because there is no connection. */
export class BusOffline extends Error {
  override readonly name = 'BusOffline';
}
