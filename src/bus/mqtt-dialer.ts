/**
 * Keeps one connection to a broker: dials, dials again when it ends, waits longer after each failure, and finds out
 * which version of MQTT the broker speaks. MQTT 5 first; a broker that refuses it is asked at once in 3.1.1, and what
 * worked is asked for first from then on.
 */
import { backoffMs, type Backoff } from './backoff.js';
import type { BusMessage } from './bus.js';
import { openConnection, type ConnectionEnd, type MqttConnection } from './mqtt-connection.js';
import type { MqttTarget, MqttVersion } from './mqtt-options.js';

/** How the dialer waits. */
export interface DialerOptions {
  readonly backoff: Backoff;
  /** Gives [0, 1). */
  readonly random: () => number;
}

/** What the dialer tells. */
export interface DialerEvents {
  opened(connection: MqttConnection): void;
  heard(message: BusMessage): void;
  /** A connection ended, or could not be made; the next is tried by itself. */
  ended(end: ConnectionEnd): void;
}

/** A dialer. */
export interface Dialer {
  start(): void;
  /** Ends the connection, if there is one, and tries no more; calls back when no socket and no timer is left. */
  stop(done: () => void): void;
}

/** Makes a dialer. */
export function createDialer(target: MqttTarget, options: DialerOptions, events: DialerEvents): Dialer {
  let version: MqttVersion = 5;
  let hasSwitched = false;
  let failures = 0;
  let openedAtMs: number | undefined;
  let connection: MqttConnection | undefined;
  let waiting: NodeJS.Timeout | undefined;
  const stopping: (() => void)[] = [];

  function dial(): void {
    openedAtMs = undefined;
    const dialed = openConnection(target, version, {
      opened: () => settle(dialed),
      heard: (message) => events.heard(message),
      ended: recover,
    });
    connection = dialed;
  }

  function settle(opened: MqttConnection): void {
    hasSwitched = false;
    openedAtMs = performance.now();
    events.opened(opened);
  }

  function recover(end: ConnectionEnd): void {
    connection = undefined;
    if (stopping.length > 0) {
      for (const done of stopping) done();
      return;
    }
    if (end.isVersionRefused && !hasSwitched) {
      hasSwitched = true;
      version = version === 5 ? 4 : 5;
      return dial();
    }
    hasSwitched = false;
    // A connection that ends soon is a failure too: two clients of one id, or a denied publish said at each connect,
    // would else dial without pause.
    const livedMs = openedAtMs === undefined ? 0 : performance.now() - openedAtMs;
    failures = livedMs < options.backoff.maxMs ? failures + 1 : 1;
    waiting = setTimeout(dial, backoffMs(failures, options.random, options.backoff));
    events.ended(end);
  }

  return {
    start: dial,
    stop(done) {
      clearTimeout(waiting);
      if (connection === undefined) return queueMicrotask(done);
      stopping.push(done);
      connection.close();
    },
  };
}
