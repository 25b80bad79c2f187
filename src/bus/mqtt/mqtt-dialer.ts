/**
 * Keeps one connection to a broker: connects, reconnects when it ends, waits longer after each failure, and finds out
 * which version of MQTT the broker speaks. It tries MQTT 5 first; a broker that refuses it is tried at once with 3.1.1,
 * and from then on the version that worked is tried first.
 */
import { backoffMs, type Backoff } from './backoff.js';
import type { BusMessage } from '../bus.js';
import { openConnection, type ConnectionEnd, type MqttConnection } from './mqtt-connection.js';
import type { MqttTarget, MqttVersion } from './mqtt-options.js';

/** How the dialer waits between attempts. */
export interface DialerOptions {
  readonly backoff: Backoff;
  /** Returns [0, 1). */
  readonly random: () => number;
}

/** What the dialer reports. */
export interface DialerEvents {
  opened(connection: MqttConnection): void;
  received(message: BusMessage): void;
  /** A connection ended or could not be established; the dialer retries. */
  ended(end: ConnectionEnd): void;
}

/** Keeps a connection open from `start` to `stop`. */
export interface Dialer {
  start(): void;
  /** Ends the connection, if there is one, and stops retrying; calls back when no socket and no timer is left. */
  stop(done: () => void): void;
}

/** Creates a dialer that has not started. */
export function createDialer(target: MqttTarget, options: DialerOptions, events: DialerEvents): Dialer {
  let version: MqttVersion = 5;
  let hasSwitched = false;
  let failures = 0;
  let openedAtMs: number | undefined;
  let connection: MqttConnection | undefined;
  let retryTimer: NodeJS.Timeout | undefined;
  const stopping: (() => void)[] = [];

  function dial(): void {
    openedAtMs = undefined;
    const dialed = openConnection(target, version, {
      opened: () => handleOpen(dialed),
      received: (message) => events.received(message),
      ended: handleEnd,
    });
    connection = dialed;
  }

  function handleOpen(opened: MqttConnection): void {
    hasSwitched = false;
    openedAtMs = performance.now();
    events.opened(opened);
  }

  function handleEnd(end: ConnectionEnd): void {
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
    // A connection that ends soon is a failure too: two clients with one id, or a denied publish that is repeated at
    // each connect, would otherwise reconnect without a pause.
    const livedMs = openedAtMs === undefined ? 0 : performance.now() - openedAtMs;
    failures = livedMs < options.backoff.maxMs ? failures + 1 : 1;
    retryTimer = setTimeout(dial, backoffMs(failures, options.random, options.backoff));
    events.ended(end);
  }

  return {
    start: dial,
    stop(done) {
      clearTimeout(retryTimer);
      if (connection === undefined) return queueMicrotask(done);
      stopping.push(done);
      connection.close();
    },
  };
}
