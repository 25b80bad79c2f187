/**
 * The two brokers that every end-to-end test of the mesh runs on: the embedded one and a real Mosquitto.
 */
import { it } from 'vitest';
import { createBroker } from '../../broker/create-broker.js';
import { hasMosquitto, startMosquitto, type MosquittoOptions } from './mosquitto.js';

/** A broker that can be stopped and started again on the same port. */
export interface TestBroker {
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The brokers to test with, by name. */
export const BROKERS: readonly { readonly name: string; readonly isThere: boolean; open(): Promise<TestBroker> }[] = [
  { name: 'the embedded broker', isThere: true, open: openEmbedded },
  { name: 'Mosquitto', isThere: hasMosquitto(), open: openMosquitto },
];

/** The same, but Mosquitto has its default queues of 1,000 messages and drops what exceeds them. */
export const SHORT_QUEUES: typeof BROKERS = BROKERS.map((one) =>
  one.open === openMosquitto
    ? { ...one, name: 'Mosquitto with its default limits', open: () => openMosquitto({ defaultQueues: true }) }
    : one,
);

/** Timeout for tests that wait for leases to end, next to others that do the same, ms. */
const TURN_MS = 150_000;

/**
 * Returns an `it` that spreads slow tests over the brokers: each test runs on one of them in turn, and with
 * TRITMESH_TEST_LONG=1 on all.
 */
export function takeTurns(
  broker: string,
  brokers: readonly { readonly name: string }[] = BROKERS,
): (title: string, run: () => Promise<void>) => void {
  let count = brokers.findIndex((one) => one.name === broker);
  return (title, run) => {
    if (count % brokers.length === 0 || process.env['TRITMESH_TEST_LONG'] === '1') it(title, run, TURN_MS);
    count += 1;
  };
}

async function openEmbedded(): Promise<TestBroker> {
  let running = await createBroker({ base: 'tritmesh', port: 0 });
  const { port, url } = running;
  return {
    url,
    stop: () => running.close(),
    start: async () => {
      running = await createBroker({ base: 'tritmesh', port });
    },
    close: () => running.close(),
  };
}

async function openMosquitto(options: MosquittoOptions = {}): Promise<TestBroker> {
  const mosquitto = await startMosquitto(options);
  return { url: mosquitto.url, stop: mosquitto.stop, start: () => mosquitto.start(), close: mosquitto.close };
}
