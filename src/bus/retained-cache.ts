/**
 * What a bus must publish again at each connect: the last retained payload of each topic, in the order in which the
 * topics were first published. It has no limit; the node bounds the number of topics.
 */
import type { BusPublish } from './bus.js';

/** The retained messages of one bus. */
export interface RetainedCache {
  /** Keeps a retained message and ignores others. An empty payload stays until the broker has cleared the topic. */
  remember(message: BusPublish): void;
  /** The broker has the message: a topic that it has cleared need not be cleared again. */
  settle(message: BusPublish): void;
  /** Drops a topic without clearing it at the broker. */
  forget(topic: string): void;
  /** The messages to publish at a connect. */
  list(): readonly BusPublish[];
}

/** Creates an empty cache. */
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
