/**
 * What a bus must not even try to publish: a broker answers an oversized payload or a topic with wildcards by closing
 * the connection, and a retained message would repeat that at every connect.
 */
import { MESSAGE_BYTES_MAX, TOPIC_BYTES_MAX } from '../protocol/limits.js';
import type { BusPublish } from './bus.js';

/** What is wrong with a message; `undefined` when it may be published. */
export function findPublishFault({ topic, payload }: BusPublish): Error | undefined {
  const payloadBytes = Buffer.byteLength(payload);
  if (payloadBytes > MESSAGE_BYTES_MAX) {
    return new Error(`the payload has ${payloadBytes} bytes, at most ${MESSAGE_BYTES_MAX} may be published`);
  }
  const topicBytes = Buffer.byteLength(topic);
  if (topicBytes === 0 || topicBytes > TOPIC_BYTES_MAX) {
    return new Error(`the topic has ${topicBytes} bytes, expected 1 to ${TOPIC_BYTES_MAX}`);
  }
  return /[+#\0]/.test(topic)
    ? new Error(`the topic ${JSON.stringify(topic)} must not contain +, # or NUL`)
    : undefined;
}
