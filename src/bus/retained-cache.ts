/**
 * What a bus must say again at each connect: the last retained payload of each topic it said, in the order the topics
 * were first said. It holds what it is given and nothing else; how many topics that may be is the node's to bound.
 */
import type { BusPublish } from './bus.js';

/** The retained messages of one bus. */
export interface RetainedCache {
  /** Keeps a retained message; other messages pass it by. An empty payload stays until the broker has cleared the topic. */
  remember(message: BusPublish): void;
  /** The broker has the message: a topic that it cleared need not be cleared again. */
  settle(message: BusPublish): void;
  /** Keeps a topic no longer; the broker is not told. */
  forget(topic: string): void;
  /** What to say at a connect. */
  list(): readonly BusPublish[];
}

/** Makes an empty cache. */
export function createRetainedCache(): RetainedCache {
  const messages = new Map<string, BusPublish>();
  return {
    remember(message) {
      if (message.retain) messages.set(message.topic, message);
    },
    settle(message) {
      if (message.payload === '' && messages.get(message.topic) === message) messages.delete(message.topic);
    },
    forget: (topic) => {
      messages.delete(topic);
    },
    list: () => [...messages.values()],
  };
}
