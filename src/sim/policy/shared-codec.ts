/**
 * The codec of a simulated mesh: a message is decoded once, and all its receivers share the result, which they must not
 * change. It returns exactly what the real codec returns.
 */
import { wireCodec, type Codec } from '../../protocol/codec.js';
import type { Topic } from '../../protocol/topics.js';

/** Most topics in the cache; it is cleared when full. */
const TOPICS_MAX = 100_000;

/** Creates a codec. Its cache is keyed by payload object, so nodes that share it must share payload arrays, too. */
export function createSharedCodec(): Codec {
  const topics = new Map<string, Topic | undefined>();
  const decoded = new WeakMap<Uint8Array, unknown>();
  return {
    parseTopic: (base, text) => {
      if (topics.has(text)) return topics.get(text);
      if (topics.size >= TOPICS_MAX) topics.clear();
      const topic = wireCodec.parseTopic(base, text);
      topics.set(text, topic);
      return topic;
    },
    decodeMessage: (base, topic, payload) => {
      // A payload object belongs to one message, and so to one topic and kind.
      const known = decoded.get(payload) as ReturnType<typeof wireCodec.decodeMessage<typeof topic.kind>> | undefined;
      if (known !== undefined) return known;
      const fresh = wireCodec.decodeMessage(base, topic, payload);
      decoded.set(payload, fresh);
      return fresh;
    },
  };
}
