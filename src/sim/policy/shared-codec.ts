/**
 * The codec of a simulated mesh: a broadcast is taken apart and decoded once, and all its readers share the outcome. It gives
 * what the real one gives; messages are never changed by those who read them.
 */
import { wireCodec, type Codec } from '../../protocol/codec.js';
import type { Topic } from '../../protocol/topics.js';

/** Topics remembered; then the memory begins anew. */
const TOPICS_MAX = 100_000;

/** Makes a codec; the nodes that share it must share their payloads' bytes, too. */
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
      // A payload belongs to one message, and so to one topic and kind.
      const known = decoded.get(payload) as ReturnType<typeof wireCodec.decodeMessage<typeof topic.kind>> | undefined;
      if (known !== undefined) return known;
      const fresh = wireCodec.decodeMessage(base, topic, payload);
      decoded.set(payload, fresh);
      return fresh;
    },
  };
}
