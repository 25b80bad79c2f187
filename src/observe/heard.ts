/**
 * What a reader of the bus heard: one message, taken apart and checked. Signatures are not looked at: a view decides
 * nothing, and whoever needs to know who may write what asks the broker's ACL. It never throws.
 */
import type { BusMessage } from '../bus/bus.js';
import { decodeMessage, decodeText, isMessageKind } from '../protocol/codec.js';
import type { Message, MessageKind } from '../protocol/messages.js';
import { decodeRequest, isVerb, type Request } from '../protocol/requests.js';
import { parseTopic, type Topic } from '../protocol/topics.js';

/** A stamped message of one kind with the topic it came on. */
export type HeardMessage = {
  [K in MessageKind]: {
    readonly type: 'message';
    readonly kind: K;
    readonly topic: Topic & { readonly kind: K };
    readonly message: Message<K>;
    readonly retained: boolean;
  };
}[MessageKind];

/** A topic that carries a bare word. */
export type WordTopic = Topic & { readonly kind: 'availability' | 'trit' | 'set' };

/** Everything that can be heard below the base topic. */
export type Heard =
  | HeardMessage
  | { readonly type: 'word'; readonly topic: WordTopic; readonly text: string; readonly retained: boolean }
  | { readonly type: 'request'; readonly topic: Topic & { readonly kind: 'request' }; readonly request: Request }
  /** A retained topic was taken off the bus: an empty payload. */
  | { readonly type: 'cleared'; readonly topic: Topic }
  /** It could not be read; `field` names what was wrong. */
  | { readonly type: 'refused'; readonly topic: string; readonly field: string; readonly reason: string };

/** Takes a message of the bus apart. */
export function readHeard(base: string, { topic: text, payload, retained }: BusMessage): Heard {
  const topic = parseTopic(base, text);
  if (topic === undefined)
    return { type: 'refused', topic: text, field: 'topic', reason: 'is not a topic of tritmesh' };
  if (topic.kind === 'request') return readRequest(base, topic, text, payload);
  if (payload.byteLength === 0) return { type: 'cleared', topic };
  if (isWordTopic(topic)) return readWord(topic, text, payload, retained);
  if (isMessageTopic(topic)) return readMessage(base, topic, text, payload, retained);
  return { type: 'refused', topic: text, field: 'topic', reason: 'carries nothing that is known' };
}

function readRequest(
  base: string,
  topic: Topic & { readonly kind: 'request' },
  text: string,
  payload: Uint8Array,
): Heard {
  if (!isVerb(topic.verb))
    return { type: 'refused', topic: text, field: 'verb', reason: `"${topic.verb}" is not known` };
  const decoded = decodeRequest(base, topic.node, topic.verb, payload);
  if (!decoded.ok) return { type: 'refused', topic: text, field: decoded.field, reason: decoded.reason };
  return { type: 'request', topic, request: decoded.value };
}

function readWord(topic: WordTopic, text: string, payload: Uint8Array, retained: boolean): Heard {
  const decoded = decodeText(payload);
  if (!decoded.ok) return { type: 'refused', topic: text, field: decoded.field, reason: decoded.reason };
  return { type: 'word', topic, text: decoded.value, retained };
}

function readMessage<K extends MessageKind>(
  base: string,
  topic: Topic & { readonly kind: K },
  text: string,
  payload: Uint8Array,
  retained: boolean,
): Heard {
  const decoded = decodeMessage<K>(base, topic, payload);
  if (!decoded.ok) return { type: 'refused', topic: text, field: decoded.field, reason: decoded.reason };
  // The signature holds kind, topic and message together; TypeScript cannot follow that into the union.
  return { type: 'message', kind: topic.kind, topic, message: decoded.value, retained } as HeardMessage;
}

function isWordTopic(topic: Topic): topic is WordTopic {
  return topic.kind === 'availability' || topic.kind === 'trit' || topic.kind === 'set';
}

function isMessageTopic(topic: Topic): topic is Topic & { readonly kind: MessageKind } {
  return isMessageKind(topic.kind);
}
