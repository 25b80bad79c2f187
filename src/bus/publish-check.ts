/**
 * What a bus must not even try to say: a broker answers an oversized payload or a topic with wildcards by hanging up,
 * and a retained one would be said, and hung up on, at every connect.
 */
import { MESSAGE_BYTES_MAX, TOPIC_BYTES_MAX } from '../protocol/limits.js';
import type { BusPublish } from './bus.js';

/** What is wrong with a message; `undefined` when it may be said. */
export function findPublishFault({ topic, payload }: BusPublish): Error | undefined {
  const payloadBytes = Buffer.byteLength(payload);
  if (payloadBytes > MESSAGE_BYTES_MAX) {
    return new Error(`the payload has ${payloadBytes} bytes, at most ${MESSAGE_BYTES_MAX} may be published`);
  }
  const topicBytes = Buffer.byteLength(topic);
  if (topicBytes === 0 || topicBytes > TOPIC_BYTES_MAX) {
    return new Error(`the topic has ${topicBytes} bytes, 1 to ${TOPIC_BYTES_MAX} may be published to`);
  }
  return /[+#\0]/.test(topic) ? new Error(`the topic ${JSON.stringify(topic)} has wildcards`) : undefined;
}
