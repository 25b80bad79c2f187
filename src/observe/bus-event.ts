/**
 * Decodes and validates one message for a reader of the bus. Signatures are not verified: a view decides nothing, and
 * who may write what is up to the broker's ACL. It never throws.
 */
import type { BusMessage } from '../bus/bus.js';
import { decodeMessage, decodeText, isMessageKind } from '../protocol/codec.js';
import type { Message, MessageKind } from '../protocol/messages.js';
import { decodeRequest, isVerb, type Request } from '../protocol/requests.js';
import { parseTopic, type Topic } from '../protocol/topics.js';

/** A stamped message of one kind, with its topic. */
export type BusMessageEvent = {
  [K in MessageKind]: {
    readonly type: 'message';
    readonly kind: K;
    readonly topic: Topic & { readonly kind: K };
    readonly message: Message<K>;
    readonly retained: boolean;
  };
}[MessageKind];

/** A topic whose payload is a bare word. */
export type WordTopic = Topic & { readonly kind: 'availability' | 'trit' | 'set' };

/** Everything that can arrive below the base topic. */
export type BusEvent =
  | BusMessageEvent
  | { readonly type: 'word'; readonly topic: WordTopic; readonly text: string; readonly retained: boolean }
  | { readonly type: 'request'; readonly topic: Topic & { readonly kind: 'request' }; readonly request: Request }
  /** A retained topic was cleared by an empty payload. */
  | { readonly type: 'cleared'; readonly topic: Topic }
  /** The message is invalid; `field` names what is wrong. */
  | { readonly type: 'refused'; readonly topic: string; readonly field: string; readonly reason: string };

/** Decodes a message of the bus. */
export function decodeBusEvent(base: string, { topic: text, payload, retained }: BusMessage): BusEvent {
  const topic = parseTopic(base, text);
  if (topic === undefined)
    return { type: 'refused', topic: text, field: 'topic', reason: 'is not a topic of tritmesh' };
  if (topic.kind === 'request') return decodeRequestEvent(base, topic, text, payload);
  if (payload.byteLength === 0) return { type: 'cleared', topic };
  if (isWordTopic(topic)) return decodeWordEvent(topic, text, payload, retained);
  if (isMessageTopic(topic)) return decodeMessageEvent(base, topic, text, payload, retained);
  return { type: 'refused', topic: text, field: 'topic', reason: 'has no known payload' };
}

function decodeRequestEvent(
  base: string,
  topic: Topic & { readonly kind: 'request' },
  text: string,
  payload: Uint8Array,
): BusEvent {
  if (!isVerb(topic.verb))
    return { type: 'refused', topic: text, field: 'verb', reason: `"${topic.verb}" is not known` };
  const decoded = decodeRequest(base, topic.node, topic.verb, payload);
  if (!decoded.ok) return { type: 'refused', topic: text, field: decoded.field, reason: decoded.reason };
  return { type: 'request', topic, request: decoded.value };
}

function decodeWordEvent(topic: WordTopic, text: string, payload: Uint8Array, retained: boolean): BusEvent {
  const decoded = decodeText(payload);
  if (!decoded.ok) return { type: 'refused', topic: text, field: decoded.field, reason: decoded.reason };
  return { type: 'word', topic, text: decoded.value, retained };
}

function decodeMessageEvent<K extends MessageKind>(
  base: string,
  topic: Topic & { readonly kind: K },
  text: string,
  payload: Uint8Array,
  retained: boolean,
): BusEvent {
  const decoded = decodeMessage<K>(base, topic, payload);
  if (!decoded.ok) return { type: 'refused', topic: text, field: decoded.field, reason: decoded.reason };
  // The type parameter ties kind, topic and message together; TypeScript cannot follow that into the union.
  return { type: 'message', kind: topic.kind, topic, message: decoded.value, retained } as BusMessageEvent;
}

function isWordTopic(topic: Topic): topic is WordTopic {
  return topic.kind === 'availability' || topic.kind === 'trit' || topic.kind === 'set';
}

function isMessageTopic(topic: Topic): topic is Topic & { readonly kind: MessageKind } {
  return isMessageKind(topic.kind);
}
